import assert from 'node:assert/strict';
import { type Cli, cli, commands, ready } from './data.ts';

export const graphPassword = `g"r'a$ph%s\\;--`; // The image cuts its arguments at spaces.
export const graphCli: Cli = { tool: 'redis-cli', password: graphPassword };
export const graphs = ['social', 'odd name; "x"'];

export async function seedGraphs(name: string): Promise<void> {
  for (const graph of graphs) {
    for (const query of [
      'UNWIND range(1, 85) AS i CREATE (:Person {name: "n" + i, age: i, tags: [1, "a", true]})-[:KNOWS {since: i * 1.5}]->(:City {at: point({latitude: i, longitude: 1})})',
      'CREATE INDEX FOR (p:Person) ON (p.name)',
      'CREATE FULLTEXT INDEX FOR (p:City) ON (p.label)',
      'MATCH (p:Person {age: 3}) SET p:Special, p.extra = null, p.text = "gr\u00fc\u00dfe"',
      'MATCH (p:Person {age: 4}) DETACH DELETE p',
    ]) {
      assert.match(await cli(name, graphCli, ['GRAPH.QUERY', graph, query]), /internal execution time/, query);
    }
  }
  await commands(name, graphCli, 'SET plain value\nSELECT 2\nHSET h a 1\n');
}

export async function damageGraphs(name: string): Promise<void> {
  await cli(name, graphCli, ['GRAPH.QUERY', 'social', 'MATCH (n:City) DETACH DELETE n']);
  await cli(name, graphCli, ['GRAPH.DELETE', 'odd name; "x"']);
  await cli(name, graphCli, ['GRAPH.QUERY', 'later', 'CREATE (:New)']);
}

export async function graphFingerprint(name: string): Promise<string> {
  await ready(name, graphCli);
  const rows: string[] = [await cli(name, graphCli, ['GRAPH.LIST']).then((list) => list.split('\n').sort().join('\n'))];
  for (const graph of graphs) {
    for (const query of [
      'MATCH (n) RETURN labels(n), properties(n) ORDER BY n.age, n.at.latitude',
      'MATCH (a)-[e]->(b) RETURN a.name, type(e), properties(e), b.at ORDER BY e.since',
      'MATCH (p:Person {name: "n7"}) RETURN p.age',
      'CALL db.indexes() YIELD label, properties, types, status RETURN label, properties, types, status ORDER BY label',
    ]) {
      const answer = await cli(name, graphCli, ['GRAPH.RO_QUERY', graph, query]);
      rows.push(answer.replace(/^(Cached execution|Query internal execution time).*$/gm, ''));
    }
  }
  return `${rows.join('\n')}\n${await cli(name, graphCli, [], 'GET plain\nSELECT 2\nHGETALL h\n')}`;
}
