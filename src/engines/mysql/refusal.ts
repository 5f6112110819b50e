import { serverLogHint } from '../../domain/advice.ts';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';

/** The server's own words; the statement that it refused may hold secrets and is not repeated. */
export function refused(stderr: string): LifeboatError {
  const found = /ERROR (\d+) \(\w+\)(?: at line \d+)?: (.*)/.exec(stderr);
  const said = found?.[2]?.replace(/ near '.*$/, '') ?? stderr.trim().split('\n').at(-1) ?? 'no message';
  return new LifeboatError('COMMAND_FAILED', `the server refused a statement: ${said.slice(0, 500)}`, {
    hint: serverLogHint,
    context: { errno: found?.[1] === undefined ? undefined : Number(found[1]) },
  });
}

/** True for a refusal with one of the server's error numbers. */
export function isRefusal(error: unknown, ...numbers: readonly number[]): error is LifeboatError {
  return isLifeboatError(error, 'COMMAND_FAILED') && numbers.includes(Number(error.context.errno));
}
