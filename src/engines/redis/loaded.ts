import { setTimeout as sleep } from 'node:timers/promises';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { many } from '../../domain/many.ts';
import type { Shell } from '../../domain/shell.ts';
import { createClient, type RedisClient } from './client.ts';
import { keyspaceOf, numberIn, parseInfo } from './info.ts';
import type { RedisOptions } from './options.ts';

/** How long a started server may stay silent. One that says it is loading may take as long as it needs. */
const patienceMs = 60_000;
const lookEveryMs = 500;
const hopeless = ['SOURCE_NOT_RUNNING', 'SOURCE_REPLACED', 'SOURCE_NOT_FOUND', 'LOGIN_FAILED', 'CANCELLED'] as const;

/**
 * Waits until a server that was just started has loaded its data. Rejects at once when its container died or was
 * restarted, which is how a server refuses its data.
 */
export async function untilLoaded(shell: Shell, options: RedisOptions, signal: AbortSignal): Promise<RedisClient> {
  let lastSign = performance.now();
  for (;;) {
    signal.throwIfAborted();
    try {
      const client = await createClient(shell, options, signal);
      const [reply] = await client.ask([['INFO', 'persistence']], signal);
      const info = parseInfo(reply?.text ?? '');
      if (numberIn(info, 'loading') === 0 && numberIn(info, 'async_loading') !== 1) return client;
      lastSign = performance.now();
    } catch (error) {
      if (isLifeboatError(error, ...hopeless)) throw error;
      if (String(error).includes('LOADING')) lastSign = performance.now();
      else if (performance.now() - lastSign > patienceMs) throw error;
    }
    await sleep(lookEveryMs, undefined, { signal });
  }
}

/**
 * Compares a started server with the staged copy. Its clients write again already, so what it read at its start counts,
 * where it tells that; else it must at least not be empty. Rejects RESTORE_FAILED.
 */
export async function compareStarted(client: RedisClient, leastKeys: number, signal: AbortSignal): Promise<string> {
  const [reply] = await client.ask([['INFO']], signal);
  const info = parseInfo(reply?.text ?? '');
  const present = [...keyspaceOf(info).values()].reduce((sum, { keys }) => sum + keys, 0);
  const loaded = numberIn(info, 'rdb_last_load_keys_loaded');
  const isShort = loaded === undefined ? present === 0 && leastKeys > 0 : loaded < leastKeys;
  if (isShort) {
    throw new LifeboatError(
      'RESTORE_FAILED',
      `the started server loaded ${loaded ?? present} keys, at least ${leastKeys} were expected`,
    );
  }
  return `the started server loaded ${many(loaded ?? present, 'key')}`;
}
