import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { DumpReport, LookRequest, Names } from '../domain/tree-report.ts';
import { toBytes, toText } from './bytes.ts';
import { Refusal } from './refusal.ts';
import { createArguments, tarEnvironment } from './tar.ts';
import { rootOf, walk } from './walk.ts';

/** How many names of a kind are told; the number tells the rest. */
const namesTold = 100;
const saidLimit = 20;

/** Has GNU tar write an archive of the folder to our own standard output, and listens to what it says of single files. */
export async function dump({ at, rules }: LookRequest): Promise<DumpReport> {
  const root = rootOf(at);
  const changed = new Collected();
  const unreadable = new Collected();
  const said: string[] = [];
  let missing = 0;
  let members = 0;
  let sockets = 0;
  const tar = spawn('tar', createArguments(at), {
    stdio: ['pipe', 'inherit', 'pipe'],
    env: tarEnvironment,
  });
  const closed = once(tar, 'close');
  tar.stdin.on('error', () => {}); // A tar that ends early is told by its exit code.
  const listening = (async () => {
    for await (const line of createInterface(tar.stderr)) {
      const [, name = '', what = ''] = /^tar: (.+?): ((?:Warning: |File |file ).*)$/.exec(line) ?? [];
      if (/^(?:file changed as we read it|File shrank by |File removed before we read it)/.test(what)) {
        changed.add(clean(name));
        if (what.startsWith('File removed')) missing += 1;
      } else if (/^Warning: Cannot .*: No such file or directory$/.test(what)) {
        changed.add(clean(name));
        missing += 1;
      } else if (/^Warning: (?:Cannot (?:open|read|readlink|stat)|Read error)/.test(what)) {
        unreadable.add(clean(name));
        if (!what.startsWith('Warning: Read error')) missing += 1;
      } else if (!line.includes('Exiting with failure status') && said.length < saidLimit) said.push(line);
    }
  })();
  await walk(root, rules, {
    onFound: async (path) => {
      members += 1;
      if (!tar.stdin.write(toBytes(`./${path}\0`)) && tar.stdin.writable)
        await Promise.race([once(tar.stdin, 'drain'), closed]);
    },
    onSocket: () => {
      sockets += 1;
    },
    onUnreadable: (path) => unreadable.add(toText(path)),
  });
  tar.stdin.end();
  const [exitCode] = await closed;
  await listening;
  // 1 means that files changed, which is told by name.
  if (exitCode !== 0 && exitCode !== 1) throw new Refusal(exitCode ?? 74, `tar failed: ${said.join(' | ')}`);
  return { members, changed: changed.names(), missing, unreadable: unreadable.names(), sockets, said };
}

// --- utils ---

/** tar says `./a/b`. */
function clean(name: string): string {
  return name.replace(/^\.\//, '');
}

/** A file is told once, whatever was said of it. */
class Collected {
  readonly #first = new Set<string>();
  #count = 0;

  add(name: string): void {
    if (this.#first.has(name)) return;
    this.#count += 1;
    if (this.#first.size < namesTold) this.#first.add(name);
  }

  names(): Names {
    return { count: this.#count, first: [...this.#first] };
  }
}
