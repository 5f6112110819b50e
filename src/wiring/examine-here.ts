import { access, constants, mkdir, statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import type { Settings } from '../config/settings.ts';
import type { Check } from '../domain/check.ts';
import { localTime } from '../domain/local-time.ts';

const littleBytes = 100_000_000;

/** The data folder and the time zone. */
export async function examineHost({ dataDir, timezone }: Settings): Promise<readonly Check[]> {
  const zone: Check = {
    category: 'sidecar',
    name: 'time zone',
    status: 'pass',
    message: `${timezone}, where it is ${localTime(new Date().toISOString())}`,
  };
  const base = { category: 'sidecar', name: 'data folder' };
  const hint = 'mount a volume at /data, or name a writable folder with LIFEBOAT_DATA_DIR';
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    const message = `${dataDir} can be written, ${prettyBytes(free)} free`;
    return [
      {
        ...base,
        status: free < littleBytes ? 'warn' : 'pass',
        message,
        ...(free < littleBytes ? { hint: 'free some space' } : {}),
      },
      zone,
    ];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [{ ...base, status: 'fail', message: `${dataDir} cannot be written (${code})`, hint }, zone];
  }
}

/** Whether anybody hears of a failure. */
export function examineNotifications({ channels }: Settings): readonly Check[] {
  const category = 'notifications';
  if (channels.length > 0) {
    return channels.map(({ name, on }) => ({ category, name, status: 'pass', message: `hears of ${on.join(', ')}` }));
  }
  const message = 'no channel is set up: nobody hears of a backup that fails';
  const hint = 'set LIFEBOAT_NOTIFY_SLACK_URL or LIFEBOAT_NOTIFY_WEBHOOK_URL (docs/how-to/notifications.md)';
  return [{ category, name: 'channels', status: 'note', message, hint }];
}
