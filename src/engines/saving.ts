interface Selection {
  readonly databases: readonly string[];
  readonly 'exclude-databases'?: readonly string[] | undefined;
}

/**
 * Options under which a backup holds these databases, whatever today's leave out; undefined when it is about none. A name
 * with `*` or `?` selects others like it as well: more is saved then, not less.
 */
export function saving<O extends Selection>(options: O, names: readonly string[]): O | undefined {
  return names.length === 0 ? undefined : { ...options, databases: names, 'exclude-databases': [] };
}
