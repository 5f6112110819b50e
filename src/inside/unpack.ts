import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, statfsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Unpacked, UnpackRequest } from '../domain/tree-report.ts';
import { type Name, toBytes } from './bytes.ts';
import { countTotals } from './entries.ts';
import { type Entry, lineOf } from './entry.ts';
import { badData, exitCodes, Refusal } from './refusal.ts';
import { createArguments, extractArguments, tarEnvironment } from './tar.ts';
import { readTar } from './tar-reader.ts';
import { call, discard, lastChanged, stateOf, suffixesIn, type Work, workIn, writeNote } from './work.ts';

/**
 * Unpacks an archive beside the live tree, where nobody uses it, then packs it once more and compares what comes with what
 * was given: every name, type, owner, mode, time, attribute, link and content.
 */
export async function unpack({ at, suffix, bytes }: UnpackRequest, archive: AsyncIterable<Buffer>): Promise<Unpacked> {
  mkdirSync(at, { recursive: true });
  for (const other of suffixesIn(at)) {
    const left = workIn(at, other);
    if (stateOf(left) === 'staged') discard(left);
  }
  assertRoom(at, bytes);
  const work = workIn(at, suffix);
  const before = lastChanged(at);
  mkdirSync(work.folder);
  chmodSync(work.folder, 0o700); // Takes away what it inherited: else all that is unpacked in it would inherit that too.
  writeNote(work.times, `${before}\n${lastChanged(at)}`);
  mkdirSync(work.fresh, { mode: 0o700 });
  const given = await extract(work, bytes, archive);
  await compare(work, given);
  call('sync', ['-f', work.fresh]);
  return { totals: given.totals, listSha256: given.listSha256 };
}

// --- utils ---

interface Given extends Unpacked {
  readonly names: readonly Name[];
  readonly lines: readonly string[];
  readonly holed: ReadonlySet<Name>;
}

function assertRoom(at: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(at);
  const free = bavail * bsize;
  if (free > bytes) return;
  throw new Refusal(exitCodes.noRoom, `there is no room: ${bytes} bytes are needed, ${free} are free`);
}

async function extract(work: Work, limit: number, archive: AsyncIterable<Buffer>): Promise<Given> {
  const tar = spawn('tar', extractArguments(work.fresh), { stdio: ['pipe', 'ignore', 'pipe'], env: tarEnvironment });
  const { ended, write } = attend(tar);
  const seen = collect();
  let taken = 0;
  try {
    await readTar(archive, {
      onEntry: seen.add,
      forward: async (bytes) => {
        taken += bytes.length;
        if (taken > limit) throw badData(`it holds more than the ${limit} bytes that the manifest tells of`);
        await write(bytes);
      },
    });
  } catch (error) {
    tar.kill('SIGKILL');
    await ended;
    throw error;
  }
  tar.stdin?.end();
  const { code, said } = await ended;
  if (code !== 0) throw new Refusal(exitCodes.failed, `tar could not unpack it: ${said}`);
  return seen.result();
}

async function compare(work: Work, given: Given): Promise<void> {
  const tar = spawn('tar', createArguments(work.fresh), { stdio: ['pipe', 'pipe', 'pipe'], env: tarEnvironment });
  const { ended, write } = attend(tar);
  const naming = (async () => {
    for (const name of given.names) await write(toBytes(`./${name}\0`));
    tar.stdin?.end();
  })();
  let at = 0;
  const onEntry = (entry: Entry) => {
    const [expected, found] = [given.lines[at], lineOf(entry)];
    if (expected !== found)
      throw new Refusal(exitCodes.failed, `what was unpacked differs from the backup: ${found} instead of ${expected}`);
    at += 1;
  };
  try {
    await readTar(tar.stdout, { holed: given.holed, onEntry });
  } catch (error) {
    tar.stdout.destroy();
    tar.kill('SIGKILL');
    await ended;
    throw error;
  }
  await naming;
  const { code, said } = await ended;
  if (code !== 0 || at !== given.lines.length)
    throw new Refusal(exitCodes.failed, `what was unpacked could not be read back whole: ${said}`);
}

/** Waits for it, keeps what it says, and feeds it no faster than it reads. */
function attend(tar: ChildProcess) {
  const said = text(tar.stderr as AsyncIterable<Buffer> as never);
  const ended = once(tar, 'close').then(async ([code]) => ({
    code: code as number | null,
    said: (await said).trim().split('\n').slice(-3).join(' | '),
  }));
  tar.stdin?.on('error', () => {}); // A tar that ends early is told by its exit code.
  const write = async (bytes: Buffer) => {
    if (tar.stdin?.write(bytes) === false && tar.stdin.writable) await Promise.race([once(tar.stdin, 'drain'), ended]);
  };
  return { ended, write };
}

function collect() {
  const names: Name[] = [];
  const lines: string[] = [];
  const holed = new Set<Name>();
  const totals = countTotals();
  const list = createHash('sha256');
  return {
    add: (entry: Entry) => {
      const line = lineOf(entry);
      names.push(entry.path);
      lines.push(line);
      list.update(`${line}\n`);
      totals.add(entry);
      if (entry.hasHoles) holed.add(entry.path);
    },
    result: (): Given => ({ names, lines, holed, totals: totals.result(lines.length), listSha256: list.digest('hex') }),
  };
}
