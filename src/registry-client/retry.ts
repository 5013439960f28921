import { setTimeout as sleep } from 'node:timers/promises';
import { canceled, isBerthError } from '#base';

/** How often and how patiently to try again. */
export interface RetryPolicy {
  /** Attempts in all. */
  readonly attempts: number;
  /** First pause in ms; each further one is twice as long, up to 30 s. */
  readonly backoff: number;
}

const longestPause = 30_000;

/** Waits before attempt number `attempt` (1 is the first repetition). `retryAfter` is the server's wish in ms. */
export async function pauseBefore(
  attempt: number,
  policy: RetryPolicy,
  options: { retryAfter?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const pause = Math.min(longestPause, options.retryAfter ?? policy.backoff * 2 ** (attempt - 1));
  try {
    await sleep(pause, undefined, options.signal === undefined ? {} : { signal: options.signal });
  } catch (error) {
    throw canceled('canceled while waiting to try again', { cause: error });
  }
}

/** True for statuses that may pass: too many requests, time-out, and what gateways say. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}

/** True for errors that another attempt may not meet: a cut or stalled connection. */
export function mayPass(error: unknown): boolean {
  return isBerthError(error, 'unavailable') || isBerthError(error, 'timeout');
}

/** Milliseconds of a Retry-After header (RFC 9110, seconds or a date); undefined when there is none. */
export function retryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
