import { isBerthError, type Logger } from '#base';
import type { Scope } from '../auth/access.ts';
import { type FaultCode, RegistryFault } from '../faults.ts';
import { AccessRefused } from './exchange.ts';

/** The one table from codes to HTTP statuses (distribution-spec, "Error codes" and the text of each endpoint). */
const statuses: Readonly<Record<FaultCode, number>> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  PAGINATION_NUMBER_INVALID: 400,
  UNAVAILABLE: 503,
};

/** Codes for faults of other rooms (an upstream's, mostly). */
const ofKind = {
  'not-found': 'NAME_UNKNOWN',
  unauthorized: 'DENIED',
  forbidden: 'DENIED',
  unavailable: 'UNAVAILABLE',
  timeout: 'UNAVAILABLE',
} as const;

/** An answer for something thrown. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}

/** Turns what a handler threw into an answer. `challenge` makes the WWW-Authenticate header. */
export function errorAnswer(
  error: unknown,
  context: { challenge: (scope: Scope | undefined, insufficient: boolean) => string | undefined; logger: Logger },
): ErrorAnswer {
  if (error instanceof AccessRefused) return refusal(error, context.challenge);
  if (error instanceof RegistryFault) {
    const challenge = error.code === 'UNAUTHORIZED' ? context.challenge(undefined, false) : undefined;
    return answer(statusOf(error), error.code, {
      message: error.message,
      detail: error.details,
      headers: {
        ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
        ...(error.code === 'TOOMANYREQUESTS' ? { 'Retry-After': Number(error.details.retryAfter ?? 5) } : {}),
        ...rangeOf(error),
      },
    });
  }
  if (isBerthError(error) && error.kind in ofKind) {
    const code = ofKind[error.kind as keyof typeof ofKind];
    return answer(statuses[code], code, { message: error.message });
  }
  context.logger.error('a request failed', { error: error instanceof Error ? (error.stack ?? error.message) : error });
  return answer(500, 'UNKNOWN', { message: 'unknown error; the log of the registry has the cause' });
}

function refusal(
  error: AccessRefused,
  challenge: (scope: Scope | undefined, insufficient: boolean) => string | undefined,
) {
  const { scope, identity } = error;
  const detail = scope && { scope };
  const header = identity.canImprove ? challenge(scope, identity.user !== undefined) : undefined;
  if (header === undefined) return answer(403, 'DENIED', { message: error.message, detail });
  const headers = { 'WWW-Authenticate': header };
  return answer(401, 'UNAUTHORIZED', { message: 'authentication required', detail, headers });
}

function statusOf(error: RegistryFault): number {
  if (error.code === 'BLOB_UPLOAD_INVALID' && error.details.size !== undefined) return 416;
  if (error.code === 'BLOB_UPLOAD_INVALID' && error.details.busy === true) return 409;
  if (error.code === 'MANIFEST_INVALID' && error.details.tooLarge === true) return 413;
  return statuses[error.code];
}

/** Where an upload stands, for a client whose chunk did not fit (distribution-spec, "Pushing a blob in chunks"). */
function rangeOf(error: RegistryFault): Record<string, string> {
  const size = error.details.size;
  return error.code === 'BLOB_UPLOAD_INVALID' && typeof size === 'number' ? { Range: uploadRange(size) } : {};
}

/** The Range header of an upload that has `size` bytes. Docker's clients read `0-0` as "nothing yet". */
export function uploadRange(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}

function answer(
  status: number,
  code: string,
  rest: { message: string; detail?: unknown; headers?: Record<string, string | number> },
): ErrorAnswer {
  const { message, detail } = rest;
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...rest.headers },
    body: JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }),
  };
}
