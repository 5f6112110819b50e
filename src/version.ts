import pkg from '../package.json' with { type: 'json' };

/** Lifeboat's own version. */
export const version: string = pkg.version;
