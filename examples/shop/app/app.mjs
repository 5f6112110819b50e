// The shop's app: counts visits in a SQLite file and keeps uploads beside it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

mkdirSync('/app/data/uploads', { recursive: true });
const db = new DatabaseSync('/app/data/shop.sqlite3');
db.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS visits (id INTEGER PRIMARY KEY, at TEXT NOT NULL)');
const insert = db.prepare('INSERT INTO visits (at) VALUES (?)');

createServer((request, response) => {
  if (request.method === 'POST') {
    insert.run(new Date().toISOString());
    writeFileSync(`/app/data/uploads/${Date.now()}.txt`, request.url);
  }
  response.end(`${db.prepare('SELECT count(*) AS visits FROM visits').get().visits} visits\n`);
}).listen(3000);
