import { BerthError, type ErrorKind, messageOf } from '#base';

/** The one table from kind of error to HTTP status. */
const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-modified': 304,
  canceled: 499,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
  timeout: 504,
};

/** The HTTP status of anything thrown: a plain error is a defect, 500; what the web framework refuses is the client's. */
export function statusOf(error: unknown): number {
  if (error instanceof BerthError) {
    // As dockerd has it where no login was tried: at 401 the docker CLI would stop and ask for a password.
    if (error.kind === 'unauthorized' && error.details.offered === false) return 500;
    return statusOfKind[error.kind];
  }
  const refused = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof refused === 'number' && refused >= 400 && refused < 500 ? 400 : 500;
}

/** The text a client sees for anything thrown. */
export function errorText(error: unknown): string {
  return messageOf(error);
}
