import { BerthError, isBerthError, messageOf } from '#base';

/** A failed start: what `State` records, and what the client is told. */
export interface StartFailure {
  readonly exitCode: number;
  readonly error: unknown;
}

/**
 * Docker's exit code and text for an error of the start: 127 for a program that is not there, 126 for one that cannot
 * be run, 128 for all else. docker's CLI takes its own exit code from the text.
 */
export function describeStartFailure(error: unknown, args: readonly string[]): StartFailure {
  if (!isBerthError(error) || typeof error.details.reason !== 'string') return { exitCode: 128, error };
  const reason = failureReason(error, args[0] ?? '');
  const exitCode = reason === 'not-found' ? 127 : reason === 'permission-denied' ? 126 : 128;
  const message =
    'failed to create task for container: failed to create shim task: OCI runtime create failed: ' +
    `unable to start container process: error during container init: ${runtimeReason(error, args[0] ?? '')}`;
  return { exitCode, error: new BerthError(error.kind, message, { cause: error, details: { ...error.details } }) };
}

/** The runtime's reason in the words that clients look for. */
export function runtimeReason(error: BerthError, program: string): string {
  const named = error.details.executable;
  const executable = typeof named === 'string' && named !== '' ? named : program;
  const reason = failureReason(error, program);
  if (reason === 'not-found') {
    const why = executable.includes('/')
      ? `stat ${executable}: no such file or directory`
      : 'executable file not found in $PATH';
    return `exec: "${executable}": ${why}`;
  }
  if (reason === 'permission-denied') return `exec: "${executable}": permission denied`;
  return messageOf(error);
}

/** The kernel denies a program without a name; for Docker it is one that cannot be found. */
function failureReason(error: BerthError, program: string): unknown {
  return program === '' && error.details.reason === 'permission-denied' ? 'not-found' : error.details.reason;
}
