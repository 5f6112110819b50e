import { type DumpReport, reportMark } from '../domain/tree-report.ts';
import { dump } from './dump.ts';
import { entries } from './entries.ts';
import { look } from './look.ts';
import { exitCodes, Refusal } from './refusal.ts';
import { putBack, switchOver } from './switch.ts';
import { unpack } from './unpack.ts';
import { discard, stateOf, suffixesIn, workIn } from './work.ts';

/**
 * What runs in helpers of our own image, where a folder of somebody's is mounted: one program, one word, one request as
 * JSON. It answers on standard output and says on standard error why it failed.
 */
const programs: Readonly<Record<string, (request: never) => Promise<unknown> | unknown>> = {
  look,
  dump: async (request: Parameters<typeof dump>[0]) => tell(await dump(request)),
  entries: () => entries(process.stdin),
  unpack: (request: Parameters<typeof unpack>[0]) => unpack(request, process.stdin),
  switch: (request: Parameters<typeof switchOver>[0]) => switchOver(request),
  state: ({ at, suffix }: { at: string; suffix: string }) => stateOf(workIn(at, suffix)),
  'put-back': ({ at, suffix }: { at: string; suffix: string }) => putBack(workIn(at, suffix)),
  discard: ({ at, suffix }: { at: string; suffix: string }) => discard(workIn(at, suffix)),
  'discard-all': ({ at }: { at: string }) => {
    for (const suffix of suffixesIn(at)) discard(workIn(at, suffix));
  },
};

const [word = '', request = 'null'] = process.argv.slice(2);
try {
  const program = programs[word];
  if (!program) throw new Refusal(64, `there is no program ${word}`);
  const answer = await program(JSON.parse(request) as never);
  if (answer !== undefined) process.stdout.write(typeof answer === 'string' ? answer : JSON.stringify(answer));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Refusal ? error.exitCode : exitCodes.failed;
}

/** Standard output is the archive itself. */
function tell(report: DumpReport): void {
  process.stderr.write(`${reportMark}${JSON.stringify(report)}\n`);
}
