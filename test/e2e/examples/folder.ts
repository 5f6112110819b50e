import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../support/stack.ts';
import { runId } from '../../support/testbed.ts';

const root = join(import.meta.dirname, '../../..');
let made = 0;

/** A folder as a user has it: the drop-in, and stacks that include it. Dispose of it to remove all that was started there. */
export interface UserFolder extends AsyncDisposable {
  readonly path: string;
  /** Name of the stack, instead of the one in the Compose file: others may run that one. */
  readonly project: string;
  /** A line typed in this folder, or in one below; rejects with what it said unless it ends with exit code 0. */
  type(line: string, below?: string): Promise<string>;
}

export async function userFolder(...examples: string[]): Promise<UserFolder> {
  made += 1;
  const project = `lbe${runId}${process.pid}${made}`;
  const path = await mkdtemp(join(tmpdir(), 'lifeboat-user-'));
  const dropIn = await readFile(join(root, 'docker-compose.backup.yml'), 'utf8');
  const ours = dropIn
    .replace('lifeboat:1', process.env.LIFEBOAT_TEST_IMAGE ?? 'lifeboat:test')
    .replace('container_name: sidecar', `container_name: ${project}-sidecar`);
  await writeFile(join(path, 'docker-compose.backup.yml'), ours);
  for (const example of examples)
    await cp(join(root, 'examples', example), join(path, 'examples', example), { recursive: true });
  const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');
  const settings = `export COMPOSE_PROJECT_NAME=${project} DOCKER_SOCKET=${socket}`;
  const type = async (line: string, below = '.') => {
    // There is one `sidecar` on a host; here each stack has its own.
    const own = line.replaceAll('docker exec sidecar', `docker exec ${project}-sidecar`);
    const { code, stdout, stderr } = await run('sh', ['-c', `${settings}; cd '${join(path, below)}' && ${own}`]);
    if (code === 0) return stdout.trim();
    throw new Error(`${line}: exit code ${code}\n${stdout}\n${stderr}`);
  };
  return {
    path,
    project,
    type,
    [Symbol.asyncDispose]: async () => {
      const folder = examples[0] ? join('examples', examples[0]) : '.';
      await type('docker compose down --volumes --timeout 1 --remove-orphans', folder);
      await rm(path, { recursive: true, force: true });
    },
  };
}
