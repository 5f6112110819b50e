import { command } from './command/index.ts';
import type { Engine } from './engine.ts';
import { files } from './files/index.ts';
import { mysql } from './mysql/index.ts';
import { postgres } from './postgres/index.ts';
import { redis } from './redis/index.ts';
import { sqlite } from './sqlite/index.ts';

/** The registry: one line per engine, in the order in which a container is offered to them. */
export const engines: readonly Engine[] = [
  postgres as Engine,
  mysql as Engine,
  redis as Engine,
  sqlite as Engine,
  command as Engine,
  files as Engine,
];
