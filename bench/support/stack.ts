import { run, type Stack, startStack } from '../../test/support/stack.ts';
import { docker } from '../../test/support/testbed.ts';
import type { Figures } from './rounds.ts';

/** Services beside a sidecar, and the two ways to do something with them: ours, and a shell line. */
export interface BenchStack extends AsyncDisposable {
  readonly project: string;
  /** A folder on the same disk as the sidecar's /backups. */
  readonly folder: string;
  /** A command in the sidecar, as a person would type it, with settings of its own; tells its peak memory. */
  lifeboat(settings: Readonly<Record<string, string>>, ...args: string[]): Promise<Figures>;
  /** A shell line with `$DB` as the container of the service `db`, in `folder`; fails when any part of it does. */
  shell(line: string): Promise<void>;
  /** How the newest backup of `db` came to be, for those who must be sure that they measured what they think. */
  newest(): Promise<{
    readonly path: { readonly taken: string; readonly why: string };
    readonly artifacts: readonly { readonly plainBytes: number; readonly storedBytes: number }[];
  }>;
  /** Removes all backups, so that the disk does not fill. */
  forget(): Promise<void>;
}

/** Peak resident memory of the process, said at its end: getrusage knows it without anybody sampling. */
const tellMemory =
  "data:text/javascript,process.on('exit',()=>console.error('peak-kib='+process.resourceUsage().maxRSS))";

export async function startBenchStack(
  services: string,
  sidecar: Readonly<Record<string, string>> = {},
  runs: 'sleep' | 'daemon' = 'sleep',
): Promise<BenchStack> {
  const stack: Stack = await startStack(services, sidecar, runs);
  const { project, folder } = stack;
  const container = `${project}-sidecar-1`;
  const checked = async (program: string, args: readonly string[]) => {
    const ended = await run(program, args);
    if (ended.code === 0) return ended;
    throw new Error(`${program} ${args.join(' ')}: exit code ${ended.code}\n${ended.stdout}\n${ended.stderr}`);
  };
  return {
    project,
    folder,
    lifeboat: async (settings, ...args) => {
      const all = { ...settings, NODE_OPTIONS: `--import=${tellMemory}` };
      const environment = Object.entries(all).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
      const { stderr } = await checked('docker', ['exec', ...environment, container, 'lifeboat', ...args]);
      const kib = Number(/peak-kib=(\d+)/.exec(stderr)?.[1]);
      return { 'MB of memory': (kib * 1_024) / 1e6 };
    },
    shell: async (line) => {
      const script = `set -euo pipefail; cd '${folder}'; DB=${project}-db-1; ${line}`;
      await checked('bash', ['-c', script]);
    },
    newest: async () => {
      const { id } = JSON.parse((await stack.ok('list', 'db', '--json')).stdout).backups[0];
      return JSON.parse((await stack.ok('show', id, '--json')).stdout).manifest;
    },
    forget: async () => {
      await docker('exec', container, 'sh', '-c', `rm -rf /backups/${project}`);
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
