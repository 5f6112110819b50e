import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';

/** One value of a YAML document as text, with the keys that lead to it. */
export interface YamlEntry {
  readonly path: readonly string[];
  /** A list becomes a JSON array, which the value grammar reads. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a document, and where. */
export interface YamlComplaint {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** Aliases of aliases can say a million things in ten lines. */
const mostNodes = 10_000;
const deepest = 20;

/**
 * A YAML document as flat entries, without what stands below `x-…` at its top. Every scalar is taken as the text that
 * was written (`007` and `no` too): the value grammar reads it, as it reads labels. Anchors, aliases and `<<` work; with
 * complaints the entries are not complete.
 */
export function yamlEntries(source: string): { entries: readonly YamlEntry[]; complaints: readonly YamlComplaint[] } {
  const lines = new LineCounter();
  const document = parseDocument(source, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // A warning is a tag that nobody reads, such as `!secret name`: its value would be taken for the text.
  const complaints: YamlComplaint[] = [...document.errors, ...document.warnings].map((each) => ({
    message: each.message.charAt(0).toLowerCase() + each.message.slice(1),
    ...at(each.pos[0]),
  }));
  const entries: YamlEntry[] = [];
  let nodes = 0;

  const complain = (message: string, node: Node | null): void => {
    complaints.push({ message, ...at(node?.range?.[0]) });
  };
  const isTooMuch = (node: Node | null, depth: number): boolean => {
    nodes += 1;
    if (nodes <= mostNodes && depth <= deepest) return false;
    if (nodes <= mostNodes + 1) complain('too many or too deeply nested values', node);
    nodes = Math.max(nodes, mostNodes + 1);
    return true;
  };
  const target = (node: unknown): Node | null => {
    const found = isAlias(node) ? node.resolve(document) : node;
    return isMap(found) || isSeq(found) || isScalar(found) ? found : null;
  };
  /** A map's members with those it merges; its own win, then those of the earlier merge. */
  const membersOf = (map: YAMLMap, depth: number): Map<string, Member> => {
    const members = new Map<string, Member>();
    if (isTooMuch(map, depth)) return members;
    const merges: unknown[] = [];
    for (const { key, value } of map.items) {
      const name = target(key);
      if (!isScalar(name)) complain('a key must be a text', name ?? map);
      else if (name.value === '<<') merges.push(value);
      else members.set(String(name.value), { value, place: isScalar(key) ? key : name });
    }
    for (const merged of merges.map(target)) {
      for (const each of isSeq(merged) ? merged.items.map(target) : [merged]) {
        if (!isMap(each)) complain('only a map, or a list of maps, can be merged', each ?? map);
        else for (const [name, member] of membersOf(each, depth + 1)) if (!members.has(name)) members.set(name, member);
      }
    }
    return members;
  };
  const walk = (given: unknown, path: readonly string[], place: Node | null, depth: number): void => {
    const node = target(given);
    if (isMap(node)) {
      for (const [name, member] of membersOf(node, depth)) {
        const isAside = depth === 0 && name.startsWith('x-');
        if (!isAside) walk(member.value, [...path, name], member.place, depth + 1);
      }
    } else if (!isTooMuch(place, depth)) {
      const position = at((place ?? node)?.range?.[0]);
      const items = isSeq(node) ? node.items.map(target) : [];
      nodes += items.length;
      if (!items.every(isScalar)) complain('a list may hold only texts', node);
      const text = isSeq(node) ? JSON.stringify(items.filter(isScalar).map(({ value }) => String(value))) : undefined;
      entries.push({ path, text: text ?? (isScalar(node) ? String(node.value) : ''), ...position });
    }
  };
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === '');
  if (isMap(contents)) walk(contents, [], contents, 0);
  else if (!isEmpty && complaints.length === 0) complain('the document does not consist of keys and values', contents);
  return { entries, complaints };
}

interface Member {
  readonly value: unknown;
  readonly place: Node;
}
