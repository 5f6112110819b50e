import type { Recovered, Unfinished } from '../engine.ts';
import { stagedPrefix } from '../own-name.ts';
import type { MysqlClient } from './client.ts';
import { listDatabases } from './database.ts';
import { dropDatabases } from './staging.ts';
import { isSwitched, rollBack, type SwitchUndo } from './switch.ts';

/**
 * The staged copies are dropped as the last thing of a restore. As long as all are there, the switch is taken back, however
 * far it came; when one is gone, it was whole, or was taken back already.
 */
export async function recover(
  client: MysqlClient,
  { suffix, undo }: Unfinished,
  signal: AbortSignal,
): Promise<Recovered> {
  const staged = (await listDatabases(client, signal)).filter((name) => name.startsWith(stagedPrefix(suffix)));
  if (undo === undefined) {
    await dropDatabases(client, staged);
    return { live: 'before', found: 'the live databases were not touched' };
  }
  const { exchanges, lost } = undo as SwitchUndo; // Written by this engine.
  const isUnderWay = exchanges.every(({ staged: { staging } }) => staged.includes(staging));
  if (isUnderWay) await rollBack(client, { exchanges, lost });
  await dropDatabases(client, staged);
  return (await isSwitched(client, exchanges))
    ? { live: 'restored', found: 'it had been completed' }
    : { live: 'before', found: 'the live databases are as they were' };
}
