import { z } from 'zod';
import type { Disk } from '../../src/config/disk.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { type ServiceChoice, serviceSettings } from '../../src/config/service-settings.ts';
import type { EngineOptions } from '../../src/config/vocabulary.ts';
import { oneOf } from '../../src/domain/grammar.ts';
import {
  bareOption,
  optionBool,
  optionDuration,
  optionInteger,
  optionList,
  optionText,
} from '../../src/domain/option.ts';
import { createRedactor, type Redactor } from '../../src/domain/redact.ts';

/** Engines of every shape, a disk in memory, and short ways to read a configuration. */

/** One engine with many options, one with an alias, two with a bare option. */
export const sampleEngines: readonly EngineOptions[] = [
  {
    name: 'postgres',
    options: z.strictObject({
      user: optionText().optional().describe('Role to connect as.'),
      'password-env': optionText().optional().describe('Variable that holds the password.'),
      'password-file': optionText().optional().describe('File that holds the password.'),
      databases: optionList().prefault('*').describe('Databases to save.'),
      small: optionBool().optional().describe('Whether it is small.'),
      modes: optionList(oneOf(['fast', 'safe']))
        .optional()
        .describe('How to go about it.'),
      port: optionInteger(1, 65_535).optional().describe('Port of the server.'),
    }),
  },
  { name: 'mysql', options: z.strictObject({ user: optionText().optional().describe('Account to connect as.') }) },
  {
    name: 'sqlite',
    options: z.strictObject({ paths: bareOption(optionList()).optional().describe('Files to save.') }),
  },
  {
    name: 'command',
    options: z.strictObject({
      dump: bareOption(optionText()).describe('Prints the backup.'),
      restore: optionText().optional().describe('Reads the backup.'),
      verbose: optionBool().prefault('no').describe('Keeps what it says.'),
      patience: optionDuration().prefault('1m').describe('How long it may be silent.'),
    }),
  },
];

/** A file of the disk in memory. */
export interface MemoryFile {
  readonly content: string | Uint8Array;
  readonly mode?: number;
  /** What reading it answers with instead. */
  readonly code?: string;
  readonly kind?: 'folder' | 'pipe';
}

/** A disk of these files; we are uid 1000. */
export function memoryDisk(files: Readonly<Record<string, MemoryFile | string>>): Disk {
  const find = (path: string): MemoryFile => {
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return typeof file === 'string' ? { content: file } : file;
  };
  return {
    uid: 1000,
    gid: 1001,
    stat(path) {
      const { content, mode = 0o644, kind } = find(path);
      return { isFile: !kind, isFolder: kind === 'folder', bytes: Buffer.byteLength(content), mode, uid: 0, gid: 0 };
    },
    read(path) {
      const { content, code } = find(path);
      if (code !== undefined) throw Object.assign(new Error(`${code}: ${path}`), { code });
      return Buffer.from(content);
    },
  };
}

/** What a sample configuration is read from. */
export interface Sample {
  readonly env?: Readonly<Record<string, string>>;
  /** Text of /etc/lifeboat/config.yaml. */
  readonly yaml?: string;
  readonly files?: Readonly<Record<string, MemoryFile | string>>;
  readonly redactor?: Redactor;
  /** Whether to leave out the destination that every sample has. */
  readonly isBare?: boolean;
}

/** A configuration with one destination called `local`. */
export function sampleConfig({
  env = {},
  yaml,
  files = {},
  redactor = createRedactor(),
  isBare = false,
}: Sample = {}): Config {
  const disk = memoryDisk({ ...files, ...(yaml === undefined ? {} : { '/etc/lifeboat/config.yaml': yaml }) });
  const environment = { ...(isBare ? {} : { LIFEBOAT_DEST_LOCAL_URL: 'file:///backups' }), ...env };
  return loadConfig({ environment, engines: sampleEngines, redactor, disk });
}

/** What holds for the service `db` with these labels. */
export function sampleService(labels: Readonly<Record<string, string>>, sample: Sample = {}): ServiceChoice {
  return serviceSettings({ service: 'db', labels }, sampleConfig(sample));
}
