import { LifeboatError } from '../domain/errors.ts';

/** For a command that ended with another exit code than it may. */
export function commandFailed(title: string, exitCode: number, stderr: string): LifeboatError {
  const last = lastLines(stderr, 5);
  if (exitCode === 126 || exitCode === 127) {
    return new LifeboatError('TOOL_MISSING', `${title} was not found in the container (exit code ${exitCode})`, {
      hint: `name an image that has it with the tools-image option${last ? `; the container said: ${last}` : ''}`,
    });
  }
  return new LifeboatError('COMMAND_FAILED', `${title} failed with exit code ${exitCode}${last ? `: ${last}` : ''}`, {
    context: { exitCode },
  });
}

/**
 * Why the output of a command ended before its trailer. `heard` is how it began: the Engine reports that it could not
 * start the envelope as output, with exit code 126 or 127. The code alone says nothing: it is also what an exec gets whose
 * client went away.
 */
export function cutOff(title: string, exitCode: number | undefined, heard: string, stderr: string): LifeboatError {
  if (/"sh": executable file not found/.test(heard)) {
    return new LifeboatError(
      'TOOL_MISSING',
      'the image has no shell, through which Lifeboat runs commands in a container',
      {
        hint: 'use an image of this service that has one; for PostgreSQL and MySQL the tools-image option names another image',
      },
    );
  }
  if (/^(?:OCI runtime|exec failed|[^\n]*executable file not found)/.test(heard)) {
    return new LifeboatError('TOOL_MISSING', `the container cannot run ${title}: ${heard.trim().slice(0, 300)}`, {
      hint: 'the image has no shell or not this tool; name an image that has both with the tools-image option',
    });
  }
  const how = exitCode === undefined ? 'while it was still running' : `with exit code ${exitCode}`;
  return new LifeboatError('DUMP_INCOMPLETE', `the output of ${title} was cut off, it ended ${how}`, {
    retryable: true,
    hint:
      exitCode === 137
        ? 'the process was killed; look for an out-of-memory kill or a stopped container'
        : lastSaid(stderr),
  });
}

/** For a command that has given all its output and then neither takes the end of its input nor ends. */
export function staysOn(title: string): LifeboatError {
  return new LifeboatError('DUMP_INCOMPLETE', `${title} has told its end but does not leave`, {
    retryable: true,
    hint: 'something between Lifeboat and the Engine, such as a socket proxy, swallows half-closed connections; run `lifeboat doctor`',
  });
}

// --- utils ---

function lastSaid(stderr: string): string | undefined {
  const last = lastLines(stderr, 3);
  return last ? `it last said: ${last}` : undefined;
}

/** One endless line must not push the last words out. */
function lastLines(text: string, count: number): string {
  return text
    .trim()
    .split('\n')
    .slice(-count)
    .map((line) => line.trim().slice(0, 300))
    .join(' | ')
    .slice(-1_000);
}
