import type { Engine } from './engine.ts';
import { postgres } from './postgres/index.ts';

/** The registry: one line per engine, in the order in which a container is offered to them. */
export const engines: readonly Engine[] = [postgres as Engine];
