import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { docker } from '../test/support/testbed.ts';
import { backupOf } from './support/backups.ts';
import type { Bench } from './support/bench.ts';
import { race } from './support/rounds.ts';
import { sqliteServices } from './support/sqlite.ts';
import { startBenchStack } from './support/stack.ts';

const yardstick = 'backup, zstd -3 < copy';

/** The volume's folder on this host is read as root, as the shell line of somebody who knows Docker would. */
export default {
  title: 'backup of an SQLite database against its own online backup and `zstd -3 -T0 < copy > file`',
  run: async (given) => {
    await using stack = await startBenchStack(sqliteServices);
    given.say('filling the database');
    const volume = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', `${stack.project}_db-data`);
    const path = join(volume, 'app.db');
    using database = new DatabaseSync(path);
    database.exec(`PRAGMA journal_mode = wal; CREATE TABLE orders (id INTEGER PRIMARY KEY, token TEXT, note TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${given.isSmall ? 800_000 : 8_000_000})
      INSERT INTO orders SELECT i, hex(randomblob(24)), 'order of customer ' || (i % 997) || ', delivered to the door, paid by card, thank you for shopping with us, see you soon' FROM n;
      PRAGMA wal_checkpoint(TRUNCATE)`);
    const copy = join(stack.folder, 'copy');
    return await race(
      given,
      [
        {
          name: yardstick,
          run: async () => {
            await backup(database, copy, { rate: 1_000_000 });
            await stack.shell('zstd -q -3 -T0 < copy > f');
          },
          after: () => rm(copy),
        },
        backupOf(stack, 'lifeboat', {}, 'file'),
      ],
      [{ id: 'P13', of: 'lifeboat', against: yardstick, atMost: 1.1 }],
    );
  },
} satisfies Bench;
