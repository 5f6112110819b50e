import type { Directives } from './directives.ts';

/** A module the server has loaded. */
export interface LoadedModule {
  readonly name: string;
  readonly version: number;
  /** Path of its file; empty for one that is built in. */
  readonly path: string;
  readonly args: readonly string[];
}

const names = ['name', 'ver', 'path', 'args'];

/**
 * Reads the answer to MODULE LIST, which comes as one flat list of lines. Before Redis 7 it has no paths: then those of
 * the command line are taken.
 */
export function modulesOf(answer: string, directives: Directives): readonly LoadedModule[] {
  const lines = answer.split('\n');
  const starts = lines.flatMap((line, i) => (line === 'name' && lines[i + 2] === 'ver' ? [i] : []));
  const found = starts.map((start, i) => {
    const part = lines.slice(start, starts[i + 1]);
    const after = (name: string): readonly string[] => {
      const at = part.indexOf(name);
      const end = part.findIndex((line, index) => index > at + 1 && names.includes(line));
      return at < 0 ? [] : part.slice(at + 1, end < 0 || name === 'args' ? undefined : end);
    };
    const isOld = !part.includes('path');
    return {
      name: after('name')[0] ?? '',
      version: Number(after('ver')[0] ?? 0),
      path: after('path')[0] ?? '',
      args: after('args').filter((arg) => arg !== ''),
      isOld,
    };
  });
  const loaded = directives.get('loadmodule') ?? [];
  return found.map(({ isOld, ...module }, i) => {
    const [path = '', ...args] = (isOld ? loaded[i] : undefined) ?? [];
    return isOld ? { ...module, path, args } : module;
  });
}

/** Server arguments that load the same modules again; built-in ones come by themselves. */
export function moduleArguments(modules: readonly LoadedModule[]): readonly string[] {
  return modules.flatMap(({ path, args }) => (path === '' ? [] : ['--loadmodule', path, ...args]));
}
