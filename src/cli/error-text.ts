import { messageOf } from '#base';

/** The text for stderr of an error that ended a command: the daemon's refusals say that they are the daemon's. */
export function errorText(error: unknown): string {
  const message = messageOf(error);
  const fromDaemon = error instanceof Error && error.name === 'ApiError';
  return fromDaemon ? `Error response from daemon: ${message}\n` : `${message}\n`;
}
