import { pipeFolder, shellOf } from '../../test/support/testbed.ts';
import { type Path, takeSlowly } from './sink.ts';

/** slow-sink-child.ts PATH CONTAINER BYTES RATE: takes the bytes slowly and prints how much memory that took. */
const [path, id = '', bytes = '', rate = ''] = process.argv.slice(2);
await using pipes = await pipeFolder();
const shell = await shellOf(id, { pipes });
const before = process.memoryUsage.rss();
let peak = before;
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 100);
const script = `exec head -c ${bytes} /dev/zero`;
const taken = await takeSlowly(shell, path as Path, script, Number(rate), AbortSignal.timeout(1_200_000));
clearInterval(timer);
process.stdout.write(`${JSON.stringify({ path, bytes: taken.bytes, before, peak })}\n`);
