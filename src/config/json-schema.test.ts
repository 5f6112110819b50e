import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { sampleEngines } from '../../test/samples/config.ts';
import { configExample } from './example.ts';
import { configJsonSchema } from './json-schema.ts';
import { createVocabulary, type KeyEntry } from './vocabulary.ts';

const vocabulary = createVocabulary(sampleEngines);

describe('the JSON Schema', () => {
  const schema = configJsonSchema(vocabulary);
  type Node = {
    properties?: Record<string, Node>;
    additionalProperties?: unknown;
    anyOf?: Node[];
    description?: string;
    enum?: string[];
    type?: unknown;
    default?: unknown;
  };
  const at = (node: Node | undefined, path: readonly string[]): Node | undefined => {
    const [first, ...rest] = path;
    if (!node || first === undefined) return node;
    const groups = [node, ...(node.anyOf ?? [])];
    const found = groups.map(
      ({ properties, additionalProperties }) =>
        properties?.[first] ?? (first === '*' ? (additionalProperties as Node) : undefined),
    );
    return at(
      found.find((each) => each !== undefined),
      rest,
    );
  };
  const root = schema as Node;

  it('has every key where the file has it, with its meaning', () => {
    const places: readonly (readonly [readonly string[], Iterable<KeyEntry>])[] = [
      [[], vocabulary.stack.values()],
      [['dest', '*'], vocabulary.destination.values()],
      [['defaults'], vocabulary.service.values()],
      [['services', '*'], vocabulary.service.values()],
      [['services', '*', 'source', '*'], vocabulary.service.values()],
    ];
    for (const [start, entries] of places) {
      for (const { key, schema: type } of entries) {
        const node = at(root, [...start, ...key.split('.')]);
        assert.ok(node, `${start.join('.')}.${key}`);
        if (type instanceof z.ZodType && type.description) assert.equal(node.description, type.description, key);
      }
    }
    assert.ok(at(root, ['services', '*', 'codec', 'name']));
    assert.ok(at(root, ['defaults', 'mariadb', 'user']));
    assert.ok(at(root, ['notify', 'slack', 'url-file']));
  });

  it('holds files to it, as its own reading back shows', () => {
    const reader = z.fromJSONSchema(JSON.parse(JSON.stringify(schema)));
    const accepts = (yaml: string) => reader.safeParse(parse(yaml)).success;
    const good = [
      'concurrency: 3',
      'strict: yes',
      'x-mine: {a: 1}',
      'defaults: {codec: zstd, to: [a, 1], postgres: {port: 5432, databases: shop}}',
      'defaults: {codec: {name: zstd, level: 3}, sqlite: [a, b], command: dump, mysql: false}',
      'services: {db: {mariadb: {user: x}, source: {x: {command: y, sqlite: {enable: auto, paths: z}}}}}',
      'dest: {a: {url: "file:///x", access-key-id-file: /s}}',
      configExample(vocabulary),
      configExample(vocabulary).replace(/^#((?: {2})*[a-z][\w-]*:)/gm, '$1'),
    ];
    for (const yaml of good) assert.ok(accepts(yaml), yaml.slice(0, 100));
    const bad = [
      'nme: x',
      'discovery: hots',
      'timezone: 3',
      'defaults: {concurrency: 3}',
      'defaults: {codec: {lvl: 3}}',
      'defaults: {keep: {daily: 7}}',
      'services: {db: {source: {x: {source: {}}}}}',
      'dest: {a: {ulr: x}}',
    ];
    for (const yaml of bad) assert.ok(!accepts(yaml), yaml);
  });

  it('refuses keys that do not exist, but for those of the reader', () => {
    assert.equal(root.additionalProperties, false);
    assert.equal(at(root, ['notify'])?.additionalProperties, false);
    assert.deepEqual(schema.patternProperties, { '^x-': {} });
  });

  it('knows the words and types that may stand there', () => {
    assert.deepEqual(at(root, ['discovery'])?.enum, ['project', 'projects', 'host']);
    assert.deepEqual(at(root, ['concurrency'])?.type, ['number', 'string']);
    assert.deepEqual(at(root, ['strict'])?.type, ['boolean', 'string']);
    assert.equal(at(root, ['defaults', 'timeout'])?.default, '6h');
    assert.deepEqual(
      at(root, ['defaults', 'to'])?.anyOf?.map(({ type }) => type),
      ['string', 'array'],
    );
  });
});
