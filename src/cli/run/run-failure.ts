import { messageOf } from '#base';
import { ExitError, program } from '../command/index.ts';

/** The error that `run` and `create` end with: exit code 125, 126 (cannot be run) or 127 (not found), as Docker's. */
export function runFailure(name: string, error: unknown): unknown {
  if (error instanceof ExitError) return error;
  if (error instanceof TypeError || error instanceof RangeError) return error;
  const message = messageOf(error);
  // What is said before the engine was asked (a file of --env-file that is not there) is about the flags: 125.
  const answered = error instanceof Error && error.name === 'ApiError';
  const text = answered ? `Error response from daemon: ${message}` : message;
  return new ExitError(
    answered ? failureCode(message) : 125,
    `${program}: ${text}\n\nRun '${program} ${name} --help' for more information\n`,
  );
}

/** The exit code for a container that could not be started, by the runtime's message. */
function failureCode(message: string): number {
  if (
    /executable file not found|no such file or directory|system cannot find the file|executable file .* not found/i.test(
      message,
    )
  )
    return 127;
  if (/permission denied|not a directory|is a directory|syscall\.EACCES/i.test(message)) return 126;
  return 125;
}
