/** Next steps that are the same wherever such an error arises. */

/** Of a restore that failed before its switch. */
export const untouchedHint =
  'the live data was not touched: repair what the message names and restore again, or take another backup with --at';

/** Of bytes that are no whole dump. */
export const notWholeHint =
  'if it was being made: see the log of the server for what happened meanwhile, and back up again; if it was stored: take another backup, lifeboat list shows them';

/** Of what a server refused in words of its own. */
export const serverLogHint = 'its log may tell more: docker logs and the name of its container';

/** Of something that lies at the place of a new object. */
export const existsHint =
  'back up again: it gets a name of its own; if it returns, somebody else writes to this destination';

/** Of an object that is not there and should be. */
export const goneHint =
  'somebody removed it: take another backup, lifeboat list shows them, or the copy in another destination';

/** Of stored bytes that are not what they were. */
export const damagedHint = 'use another backup or the copy in another destination, and look after this storage';

/** Of a program of ours that the kernel killed, as far as can be told. */
export const killedHint = 'look for an out-of-memory kill and raise the memory limit of the sidecar';
