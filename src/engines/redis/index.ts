import type { Engine } from '../engine.ts';
import { byHand } from './byhand.ts';
import { dump } from './dump.ts';
import { RedisOptions } from './options.ts';
import { preview } from './preview.ts';
import { prove, review } from './proof.ts';
import { dataPaths, recognise } from './recognise.ts';
import { recover } from './recover.ts';
import { restore } from './restore.ts';
import { survey } from './survey.ts';

export const redis: Engine<RedisOptions> = {
  name: 'redis',
  options: RedisOptions,
  recognise,
  dataPaths,
  survey,
  dump: (shell, found, _options, _policy, signal) => dump(shell, found, signal),
  prove: (shell, artifact, plain, _options, signal) => prove(shell, artifact, plain, signal),
  review: (_shell, found, artifacts, _options, signal) => review(found, artifacts, signal),
  preview,
  restore,
  recover,
  byHand: (container, artifact) => byHand(container, artifact),
};
