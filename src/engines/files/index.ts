import type { Engine, Neighbour } from '../engine.ts';
import { byHand } from './by-hand.ts';
import { dump } from './dump.ts';
import { FilesOptions } from './options.ts';
import { preview } from './preview.ts';
import { prove, review } from './proof.ts';
import { recover } from './recover.ts';
import { restore } from './restore.ts';
import { survey } from './survey.ts';

const label = 'lifeboat.files';

/** Volumes and bind mounts as archives, where a label asks for it. */
export const files: Engine<FilesOptions> = filesBeside([]);

function filesBeside(others: readonly Neighbour[]): Engine<FilesOptions> {
  return {
    name: 'files',
    options: FilesOptions,
    // As a default for all services it meets some that have nothing of their own.
    guesses: true,
    recognise: ({ labels }) => Object.keys(labels).some((key) => key === label || key.startsWith(`${label}.`)),
    beside: filesBeside,
    // It speaks of every mount: what it does not save it lists with the reason.
    dataPaths: ({ mounts }) => mounts.map(({ target }) => target),
    survey: (shell, options, signal) => survey(shell, options, others, signal),
    dump: (_shell, found) => dump(found),
    prove: (shell, artifact, plain, _options, signal) => prove(shell, artifact, plain, signal),
    review: async (_shell, found, artifacts) => review(found, artifacts),
    preview: (shell, manifest, target, _options, signal) => preview(shell, manifest, target, signal),
    restore: (shell, from, target, _options, steps, signal) => restore(shell, from, target, others, steps, signal),
    recover: (shell, unfinished, _options, signal) => recover(shell, unfinished, signal),
    byHand: (container, artifact) => byHand(container, artifact),
  };
}
