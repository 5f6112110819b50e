// The shop's app: counts visits in a SQLite file and keeps uploads as plain files.
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

if (!existsSync('/app/uploads/logo.svg'))
  writeFileSync('/app/uploads/logo.svg', '<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>\n');
const db = new DatabaseSync('/app/data/shop.sqlite3');
db.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS visits (id INTEGER PRIMARY KEY, at TEXT NOT NULL)');
const insert = db.prepare('INSERT INTO visits (at) VALUES (?)');

createServer((request, response) => {
  if (request.method === 'POST') {
    insert.run(new Date().toISOString());
    writeFileSync(`/app/uploads/${Date.now()}.txt`, request.url);
  }
  response.end(`${db.prepare('SELECT count(*) AS visits FROM visits').get().visits} visits\n`);
}).listen(3000);
