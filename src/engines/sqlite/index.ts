import type { Engine } from '../engine.ts';
import { searchable } from '../location.ts';
import { byHand } from './by-hand.ts';
import { dump } from './dump.ts';
import { SqliteOptions } from './options.ts';
import { preview } from './preview.ts';
import { prove, review } from './proof.ts';
import { recover } from './recover.ts';
import { restore } from './restore.ts';
import { survey } from './survey.ts';

/** Servers with storage of their own, and tools beside them: what lies in their volumes is not for SQLite. */
const serverPattern =
  /(?:^|\/)[\w.-]*(?:postgres|postgis|timescale|pgvector|pgautoupgrade|mysql|mariadb|percona|redis|valkey|falkordb|keydb|dragonfly|mongo|memcached|lifeboat)[\w.-]*(?:[:@]|$)/;

export const sqlite: Engine<SqliteOptions> = {
  name: 'sqlite',
  options: SqliteOptions,
  // Neither image nor environment tell: whatever may write into a volume may have a database there. The survey looks.
  guesses: true,
  recognise: (container) => !serverPattern.test(container.image) && searchable(container).length > 0,
  dataPaths: () => [],
  survey,
  dump: (shell, found, _options, policy) => dump(shell, found, policy),
  prove: (shell, artifact, plain, _options, signal) => prove(shell, artifact, plain, signal),
  review: async (_shell, _survey, artifacts) => review(artifacts),
  preview: (shell, manifest, target, options, signal) => preview(shell, manifest, target, options, signal),
  restore: (shell, from, target, _options, steps, signal) => restore(shell, from, target, steps, signal),
  recover: (shell, unfinished, _options, signal) => recover(shell, unfinished, signal),
  byHand: (container, artifact) => byHand(container, artifact),
};
