/** What went wrong, in the terms of the domain. Only `api` knows which HTTP status each kind answers with. */
export type ErrorKind =
  | 'invalid' // the request itself is wrong; sending it again cannot help
  | 'not-found' // the object named does not exist
  | 'conflict' // the object exists, is in use, or is in a state that forbids the request
  | 'not-modified' // the object already is as asked
  | 'forbidden' // understood and refused
  | 'unauthorized' // credentials missing or wrong
  | 'unavailable' // something outside (registry, kernel, disk) does not answer or lacks room
  | 'not-implemented' // the host or this engine cannot do it
  | 'canceled' // the caller went away or asked to stop
  | 'timeout' // a bounded wait ran out
  | 'internal'; // a defect of ours

/**
 * An error that a user can reach. `message` names the object and, where there is one, the remedy;
 * a plain `Error` in contrast marks a bug.
 */
export class BerthError extends Error {
  readonly kind: ErrorKind;
  /** Extra machine-readable facts, such as the digest expected and found. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(kind: ErrorKind, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BerthError';
    this.kind = kind;
    this.details = options.details ?? {};
  }
}

type ErrorOptionsIn = { cause?: unknown; details?: Record<string, unknown> };
const maker = (kind: ErrorKind) => (message: string, options?: ErrorOptionsIn) =>
  new BerthError(kind, message, options);

/** Makes an error of kind `invalid`. */
export const invalid = maker('invalid');
/** Makes an error of kind `not-found`. */
export const notFound = maker('not-found');
/** Makes an error of kind `conflict`. */
export const conflict = maker('conflict');
/** Makes an error of kind `not-modified`. */
export const notModified = maker('not-modified');
/** Makes an error of kind `forbidden`. */
export const forbidden = maker('forbidden');
/** Makes an error of kind `unauthorized`. */
export const unauthorized = maker('unauthorized');
/** Makes an error of kind `unavailable`. */
export const unavailable = maker('unavailable');
/** Makes an error of kind `not-implemented`. */
export const notImplemented = maker('not-implemented');
/** Makes an error of kind `canceled`. */
export const canceled = maker('canceled');
/** Makes an error of kind `timeout`. */
export const timedOut = maker('timeout');
/** Makes an error of kind `internal`. */
export const internal = maker('internal');

/** True when `error` is a {@link BerthError}, of `kind` where one is given. */
export function isBerthError(error: unknown, kind?: ErrorKind): error is BerthError {
  return error instanceof BerthError && (kind === undefined || error.kind === kind);
}

/** The message of anything thrown, for logs and for wrapping. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (`ENOENT`, `EEXIST`, ...), if it has one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
