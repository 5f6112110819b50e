import { connectDocker } from '../../src/docker/dockerode.ts';
import { createQuiescer } from '../../src/docker/quiesce.ts';
import { openJournal } from '../../src/runs/journal/journal.ts';

/** Stops or pauses a container through the journal and is killed before it can put it back. */
const [, , kind = '', id = '', folder = ''] = process.argv;
const api = await connectDocker({ host: process.env.DOCKER_HOST });
const container = await api.container(id);
if (!container) throw new Error(`container ${id} is gone`);
const quiescer = createQuiescer(
  api,
  openJournal(folder, () => new Date()),
);
if (kind === 'stop') await quiescer.stop(container, 1_000);
else await quiescer.pause(container);
process.kill(process.pid, 'SIGKILL');
