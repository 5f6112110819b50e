// Who knows whom: POST /Ada/Grace remembers that Ada knows Grace, GET / counts people and acquaintances.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';

/** One command to the database, in Redis' protocol; resolves with the answer as it came. */
async function ask(...words) {
  const socket = connect(6379, 'graph').setEncoding('utf8');
  const send = (argv) =>
    socket.write(`*${argv.length}\r\n${argv.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
  send(['AUTH', process.env.GRAPH_PASSWORD]);
  await once(socket, 'data');
  send(words);
  const [answer] = await once(socket, 'data');
  socket.end();
  if (answer.startsWith('-')) throw new Error(answer);
  return answer;
}

const query = (cypher) => ask('GRAPH.QUERY', 'people', cypher);
const quoted = (name) => JSON.stringify(decodeURIComponent(name));

createServer(async ({ method, url }, response) => {
  try {
    const [, a, b] = url.split('/');
    if (method === 'POST')
      await query(
        `MERGE (a:Person {name: ${quoted(a)}}) MERGE (b:Person {name: ${quoted(b)}}) MERGE (a)-[:KNOWS]->(b)`,
      );
    const numbers = /:(\d+)\r\n:(\d+)\r\n/.exec(
      await query('OPTIONAL MATCH (p:Person) OPTIONAL MATCH (p)-[k:KNOWS]->() RETURN count(DISTINCT p), count(k)'),
    );
    response.end(`${numbers?.[1] ?? 0} people, ${numbers?.[2] ?? 0} acquaintances\n`);
  } catch (error) {
    response.writeHead(500).end(`${error.message}\n`);
  }
}).listen(3000);
