import { LifeboatError } from '../../domain/errors.ts';
import type { RedisClient, Reply } from './client.ts';
import { lastOf } from './directives.ts';
import { type Info, numberIn, parseInfo } from './info.ts';
import { type LoadedModule, modulesOf } from './modules.ts';
import type { RedisOptions } from './options.ts';
import { fileSystemOf, processOf } from './process.ts';
import { configWords } from './words.ts';

/** What a running server is and how it keeps its data. */
export interface Server {
  readonly info: Info;
  readonly product: 'Redis' | 'Valkey' | 'FalkorDB' | 'KeyDB';
  /** The product's version. */
  readonly version: string;
  /** Changes with every start of the process. */
  readonly runId: string;
  readonly layout: Layout;
  /** Save points are set: the server itself writes RDB files. */
  readonly savesByItself: boolean;
  readonly users: readonly string[];
  /** Its folder is on a tmpfs of the container: lost at the next stop, and out of reach for anybody else. */
  readonly isInMemory: boolean;
  /** Newest RDB version it reads, when that is known. */
  readonly rdbVersion: number | undefined;
}

/** How and where a server keeps its data: all that is needed to put data back, also when it does not run. */
export interface Layout {
  readonly folder: string;
  readonly file: string;
  readonly appendonly: boolean;
  readonly appendFile: string;
  /** Folder of the parts of the AOF; empty before Redis 7. */
  readonly appendFolder: string;
  readonly databases: number;
  readonly modules: readonly LoadedModule[];
  /** Program name of the server, e.g. `valkey-server`. */
  readonly program: string;
  /** `uid:gid` the server runs as: whatever is put back must be its own. */
  readonly owner: string;
  readonly umask: string;
}

const settings = ['dir', 'dbfilename', 'save', 'appendfilename', 'appenddirname', 'databases'] as const;

export async function describeServer(client: RedisClient, options: RedisOptions, signal: AbortSignal): Promise<Server> {
  const [infoReply, moduleReply, userReply, ...config] = await client.ask(
    [['INFO'], ['MODULE', 'LIST'], ['ACL', 'USERS'], ...settings.map((name) => ['CONFIG', 'GET', name])],
    signal,
  );
  const info = parseInfo(answerOf('INFO', infoReply));
  const setting = (name: (typeof settings)[number]) =>
    configValue(config[settings.indexOf(name)]) ?? lastOf(client.directives, name);
  const modules = modulesOf(textOf(moduleReply) ?? '', client.directives);
  const { mounts, ...process } = await processOf(client, numberIn(info, 'process_id') ?? 1, signal);
  const folder = folderOf(options, setting('dir'));
  const graph = modules.find(({ name }) => name === 'graph');
  const program = info.get('executable')?.split('/').at(-1) ?? 'redis-server';
  const valkey = info.get('valkey_version');
  const isSeven = numberIn(info, 'rdb_saves') !== undefined;
  return {
    info,
    product: graph ? 'FalkorDB' : valkey ? 'Valkey' : program.startsWith('keydb') ? 'KeyDB' : 'Redis',
    version: graph ? graphVersion(graph.version) : (valkey ?? info.get('redis_version') ?? ''),
    runId: info.get('run_id') ?? '',
    layout: {
      folder,
      file: setting('dbfilename') ?? 'dump.rdb',
      appendonly: numberIn(info, 'aof_enabled') === 1,
      appendFile: setting('appendfilename') ?? 'appendonly.aof',
      appendFolder: isSeven ? (setting('appenddirname') ?? 'appendonlydir') : '',
      databases: Number(setting('databases') ?? 16),
      modules,
      program,
      ...process,
    },
    savesByItself: setting('save') !== '', // Untold means the default, which has save points.
    users: linesOf(userReply),
    isInMemory: fileSystemOf(mounts, folder) === 'tmpfs',
    rdbVersion: await rdbVersionOf(client, info, signal),
  };
}

/** The option wins: CONFIG may be forbidden, and it may tell a folder of another file system view. */
function folderOf(options: RedisOptions, told: string | undefined): string {
  const folder = options['data-dir'] ?? told;
  if (folder?.startsWith('/')) return folder.length > 1 ? folder.replace(/\/+$/, '') : folder;
  throw new LifeboatError('COMMAND_FAILED', 'the server does not tell in which folder it keeps its data', {
    hint: 'allow it CONFIG GET, or name the folder with lifeboat.redis.data-dir',
  });
}

function answerOf(command: string, reply: Reply | undefined): string {
  if (reply && !reply.isError) return reply.text;
  throw new LifeboatError('COMMAND_FAILED', `the server refuses ${command}: ${reply?.text ?? 'no answer'}`, {
    hint: 'the login needs the commands INFO, CONFIG GET, MODULE LIST and BGSAVE',
  });
}

function textOf(reply: Reply | undefined): string | undefined {
  return reply && !reply.isError ? reply.text : undefined;
}

function linesOf(reply: Reply | undefined): string[] {
  return (textOf(reply) ?? '').split('\n').filter((line) => line !== '');
}

/** CONFIG GET answers with the name and the value on a line each; with nothing when it does not know the name. */
function configValue(reply: Reply | undefined): string | undefined {
  const text = textOf(reply);
  if (text === undefined || text === '') return undefined;
  const [, value = ''] = /^[^\n]*\n?([\s\S]*)$/.exec(text) ?? [];
  return value;
}

/** 41603 → 4.16.3 */
function graphVersion(number: number): string {
  return [Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100].join('.');
}

/**
 * No server tells which RDB version it writes, but every function dump carries it, even one without functions: two
 * bytes before the checksum of eight.
 */
async function rdbVersionOf(client: RedisClient, info: Info, signal: AbortSignal): Promise<number | undefined> {
  const { stdout } = await client.shell.run(client.command(['--no-raw', 'FUNCTION', 'DUMP']), undefined, signal);
  const [payload] = stdout.startsWith('"') ? configWords(stdout) : [];
  const bytes = Buffer.from(payload ?? '', 'latin1');
  if (bytes.length >= 10) return bytes.readUInt16LE(bytes.length - 10);
  const major = Number.parseInt(info.get('redis_version') ?? '', 10);
  return major === 5 || major === 6 ? 9 : undefined;
}
