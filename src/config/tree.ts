/** Keys with dots as the nested mapping of the configuration file. */
export interface Tree<T> {
  /** The value of the key itself; a key may be both a value and a group, such as `codec`. */
  readonly leaf?: T;
  readonly below: ReadonlyMap<string, Tree<T>>;
}

/** Nests `codec` and `codec.level` into one branch, in the order given. */
export function treeOf<T>(keys: Iterable<readonly [key: string, value: T]>): Tree<T> {
  const byFirst = new Map<string, { leaf?: T; rest: [string, T][] }>();
  for (const [key, value] of keys) {
    const dot = key.indexOf('.');
    const first = dot === -1 ? key : key.slice(0, dot);
    const branch = byFirst.get(first) ?? { rest: [] };
    byFirst.set(first, branch);
    if (dot === -1) branch.leaf = value;
    else branch.rest.push([key.slice(dot + 1), value]);
  }
  return {
    below: new Map(
      [...byFirst].map(([first, { leaf, rest }]) => [
        first,
        { ...(leaf === undefined ? {} : { leaf }), below: treeOf(rest).below },
      ]),
    ),
  };
}
