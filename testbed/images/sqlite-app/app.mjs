// Appends a row to a SQLite database in WAL mode every 20 ms. Each row carries the sum of the numbers so far, so that
// a copy can be judged alone: it is whole when its last `total` is the sum over its `number`, with none missing.
import { DatabaseSync } from 'node:sqlite';

const database = new DatabaseSync(process.env.DATABASE ?? '/data/app.db');
database.exec('PRAGMA journal_mode=WAL; PRAGMA busy_timeout=5000; PRAGMA synchronous=NORMAL');
database.exec(
  'CREATE TABLE IF NOT EXISTS entry(number INTEGER PRIMARY KEY, total INTEGER NOT NULL, written TEXT NOT NULL, filler BLOB)',
);

const last = database.prepare('SELECT number, total FROM entry ORDER BY number DESC LIMIT 1').get();
const insert = database.prepare('INSERT INTO entry VALUES (?, ?, ?, randomblob(200))');
let number = last?.number ?? 0;
let total = last?.total ?? 0;

const writing = setInterval(() => {
  number += 1;
  total += number;
  insert.run(number, total, new Date().toISOString());
}, 20);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    clearInterval(writing);
    database.close();
  });
}
console.log(`writing from row ${number + 1}`);
