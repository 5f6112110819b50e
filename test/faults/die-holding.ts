import { connectDocker } from '../../src/docker/dockerode.ts';
import { pauseContainer, stopContainer } from '../../src/docker/quiesce.ts';
import { openJournal } from '../../src/runs/journal/journal.ts';

/** Stops or pauses a container through the journal and is killed before it can put it back. */
const [, , kind = '', id = '', folder = ''] = process.argv;
const api = await connectDocker({ host: process.env.DOCKER_HOST });
const container = await api.container(id);
if (!container) throw new Error(`container ${id} is gone`);
const journal = openJournal(folder, () => new Date());
if (kind === 'stop') await stopContainer(api, journal, container, 1_000);
else await pauseContainer(api, journal, container);
process.kill(process.pid, 'SIGKILL');
