import { randomBytes } from 'node:crypto';

/**
 * The exec envelope. "Stream ended" and "exit code 0" do not prove that a dump is whole: when a process exits, the Engine
 * waits at most two seconds for its output copiers and then drops what a slow reader has not taken, with exit code 0
 * (https://github.com/moby/moby/issues/45689). So the process must not exit before we have read everything: a small
 * shell script runs the job, prints a random trailer plus the exit code on the same pipe, after all data, and then waits
 * for a line on its input, or its end. We strip the trailer and send that line; only then does the script exit. The end of
 * the same input is the kill switch: when we vanish it comes early, and the script terminates the job. Builtins only: slim
 * images have neither `cat` nor `kill`.
 */
const prelude = `t=$LIFEBOAT_TRAILER; unset LIFEBOAT_TRAILER
`;

/** The job reads nothing; the end of our input terminates it. The watcher keeps no output open, or it would hold the pipe. */
const dumpScript = `${prelude}exec 3<&0
"$@" 3<&- </dev/null & j=$!
{ while read -r _ <&3; do :; done; kill -TERM "$j"; } >/dev/null 2>&1 & w=$!
wait "$j"; rc=$?
{ kill "$w"; wait "$w"; } >/dev/null 2>&1
printf '%s%03d' "$t" "$rc"
read -r _ <&3
exit "$rc"`;

/**
 * Dump and restore programs write and read a pipe in pieces of 4 KB. With larger ones a gigabyte costs a third less
 * processor time; `stdbuf` is in every image that has the GNU tools, but now and then without the library it needs.
 */
const buffered = (option: '-i1M' | '-o1M') =>
  `b=; type "$1" >/dev/null 2>&1 && stdbuf ${option} true >/dev/null 2>&1 && b='stdbuf ${option}'
`;

/**
 * The job reads our input; when we vanish it sees the end of its input like any reader. What it leaves unread may hold
 * any line, so only the end of it lets the script exit.
 */
const feedScript = `${prelude}exec 3<&0
"$@" <&3 3<&-
rc=$?
printf '%s%03d' "$t" "$rc"
while read -r _ <&3; do :; done
exit "$rc"`;

/**
 * The job reads a named pipe, whose end it sees also when we vanish. A first byte tells that the pipe is open: until then
 * a writer must stay, or the job would wait for one for ever. What a job that is content leaves unread is read all the
 * same, because the writer counts it.
 */
const pipeFeedScript = `${prelude}${buffered('-i1M')}exec 3</pipe/pipe; printf .
$b "$@" <&3 3<&-
rc=$?
[ "$rc" -ne 0 ] || cat <&3 >/dev/null 2>&1
printf '%s%03d' "$t" "$rc"
read -r _
exit "$rc"`;

const scripts = { dump: dumpScript, feed: feedScript, pipe: pipeFeedScript } as const;

/** Whether the job reads nothing, our input, or a named pipe. */
export type EnvelopeMode = keyof typeof scripts;

/**
 * Reads the environment from the first lines of standard input, up to an empty line, each \`NAME=value\` with the value
 * octal-escaped: a helper's real environment and argv are open to everyone who may inspect it.
 */
const environmentScript = `while IFS= read -r l && [ -n "$l" ]; do v=$(printf '%b.' "\${l#*=}"); export "\${l%%=*}=\${v%.}"; done
`;

export interface Envelope {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What to write to standard input before anything else. */
  readonly preamble: string;
  readonly trailer: Trailer;
  /**
   * What to write after the trailer, before the input is closed: a line ends a script that reads no other input. Its end
   * alone would do, but it is what proxies swallow and busy Engines have been seen to lose.
   */
  readonly release: '\n' | '';
}

/** For an exec: its environment is in no event and no inspect, so it carries secrets as it is. */
export function execEnvelope(
  mode: EnvelopeMode,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Envelope {
  const word = randomBytes(16).toString('hex');
  return {
    argv: ['sh', '-c', scripts[mode], 'sh', ...argv],
    env: { ...env, LIFEBOAT_TRAILER: word },
    preamble: '',
    trailer: new Trailer(word),
    release: mode === 'feed' ? '' : '\n',
  };
}

/** For a helper container: the environment goes through standard input. */
export function helperEnvelope(
  mode: EnvelopeMode,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Envelope {
  const envelope = execEnvelope(mode, argv, env);
  return {
    argv: ['sh', '-c', environmentScript + scripts[mode], 'sh', ...argv],
    env: {},
    preamble: environmentPreamble(envelope.env),
    trailer: envelope.trailer,
    release: envelope.release,
  };
}

/** For a conversation in a helper container: environment first, then the client reads the rest. */
export function helperSession(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Pick<Envelope, 'argv' | 'env' | 'preamble'> {
  return {
    argv: ['sh', '-c', `${environmentScript}exec "$@"`, 'sh', ...argv],
    env: {},
    preamble: environmentPreamble(env),
  };
}

/** For a helper that writes a named pipe: no trailer is needed, its exit code is known before the pipe ends. */
export function pipeScript(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Pick<Envelope, 'argv' | 'env' | 'preamble'> {
  return {
    argv: ['sh', '-c', `${environmentScript}${buffered('-o1M')}exec $b "$@" </dev/null >/pipe/pipe`, 'sh', ...argv],
    env: {},
    preamble: environmentPreamble(env),
  };
}

function environmentPreamble(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => {
    const escaped = Array.from(Buffer.from(value), (byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
    return `${name}=${escaped}\n`;
  });
  return `${lines.join('')}\n`;
}

const codeDigits = 3;

/** Finds the trailer at the end of what has been read so far, holding back just as many bytes as it is long. */
export class Trailer {
  readonly #word: Buffer;
  #held: Buffer = Buffer.alloc(0);
  /** The job's exit code once the trailer has come. */
  exitCode: number | undefined;

  constructor(word: string) {
    this.#word = Buffer.from(word);
  }

  /** Takes the next bytes of standard output and returns those that are surely data, in order. */
  take(bytes: Buffer): readonly Buffer[] {
    const length = this.#word.length + codeDigits;
    const out: Buffer[] = [];
    if (bytes.length >= length) {
      if (this.#held.length > 0) out.push(this.#held);
      if (bytes.length > length) out.push(bytes.subarray(0, bytes.length - length));
      this.#held = bytes.subarray(bytes.length - length);
    } else {
      const all = Buffer.concat([this.#held, bytes]);
      const data = Math.max(0, all.length - length);
      if (data > 0) out.push(all.subarray(0, data));
      this.#held = all.subarray(data);
    }
    this.#look();
    return out;
  }

  #look(): void {
    const word = this.#word.length;
    if (this.#held.length !== word + codeDigits || !this.#held.subarray(0, word).equals(this.#word)) return;
    const digits = this.#held.subarray(word).toString('latin1');
    if (/^\d{3}$/.test(digits)) this.exitCode = Number(digits);
  }
}
