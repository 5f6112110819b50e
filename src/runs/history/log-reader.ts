import type { Log } from '../../domain/log.ts';
import type { EventReader } from './event-bus.ts';
import { createNarrator } from './event-text.ts';

/** Writes the stream of events to the log. */
export function createLogReader(log: Log): EventReader {
  const narrate = createNarrator();
  return {
    name: 'log',
    read: (event) => {
      const told = narrate(event);
      if (told) log[told.level](told.text, told.fields);
    },
  };
}
