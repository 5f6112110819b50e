import type { MysqlClient } from './client.ts';
import { isRefusal } from './refusal.ts';
import { literal } from './sql.ts';

/** Longest wait for a lock that a session of the application holds, in seconds, before such sessions are ended. */
const lockWait = 10;
const attempts = 4;

/**
 * Runs a script that may be run again from its start. A session of the application that holds a lock for longer is ended:
 * while we wait for it, everybody else waits for us.
 */
export async function patiently(client: MysqlClient, databases: readonly string[], script: string): Promise<void> {
  if (script === '') return;
  for (let left = attempts; ; left -= 1) {
    try {
      await client.run(`SET SESSION lock_wait_timeout = ${lockWait};\n${script}`);
      return;
    } catch (error) {
      if (left === 1 || !isRefusal(error, 1205)) throw error;
      await endSessions(client, databases);
    }
  }
}

async function endSessions(client: MysqlClient, databases: readonly string[]): Promise<void> {
  const from = `FROM information_schema.PROCESSLIST WHERE DB IN (${databases.map(literal).join(', ')})
    AND ID <> CONNECTION_ID() AND COMMAND NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')`;
  const sessions = await client.rows<{ id: number }>({ id: 'ID' }, from);
  await client.run(sessions.map(({ id }) => `KILL ${id};`).join('\n'), { tolerant: true }); // Some have ended meanwhile.
}
