import { messageOf } from '#base';
import { nanosecondsOf } from './duration.ts';
import type { Extensions } from './service-parts.ts';
import { WholeFloat } from './whole-float.ts';

/** How a container of a service is replaced (`x-update`). Times are seconds. */
export interface UpdatePolicy {
  readonly order: 'start-first' | 'stop-first';
  /** Longest until the new container is ready. */
  readonly timeout: number;
  /** How long one without a health check must run to count as ready. */
  readonly monitor: number;
  /** Longest that the old one is left to finish open connections. */
  readonly drain: number;
  /** What becomes of a new container that does not get ready: removed, or kept to be looked at. */
  readonly onFailure: 'rollback' | 'keep';
}

/** What is wrong with an `x-update`, and at which of its keys. */
export interface UpdatePolicyFault {
  readonly message: string;
  readonly keys: readonly string[];
}

const defaults: UpdatePolicy = { order: 'stop-first', timeout: 60, monitor: 2, drain: 10, onFailure: 'rollback' };

const choices: Readonly<Record<string, readonly string[]>> = {
  order: ['start-first', 'stop-first'],
  'on-failure': ['rollback', 'keep'],
};
const durations = ['timeout', 'monitor', 'drain'];

function fault(message: string, ...keys: string[]): UpdatePolicyFault {
  return { message, keys };
}

function seconds(value: unknown): number | undefined {
  if (value instanceof WholeFloat) return seconds(value.value);
  if (typeof value === 'number') return value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  try {
    const nanoseconds = nanosecondsOf(value);
    return nanoseconds >= 0 ? nanoseconds / 1e9 : undefined;
  } catch (error) {
    if (!messageOf(error).includes('duration')) throw error;
    return undefined;
  }
}

/**
 * Reads the value of `x-update`: an order, or a mapping with `order`, `timeout`, `monitor`, `drain` and `on-failure`.
 * Absent is Docker's way: stop first.
 */
export function readUpdatePolicy(value: unknown): UpdatePolicy | UpdatePolicyFault {
  if (value === undefined || value === null) return defaults;
  const given = typeof value === 'string' ? { order: value } : value;
  if (typeof given !== 'object' || Array.isArray(given)) return fault('must be an order or a mapping');
  const read: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(given as object)) {
    const allowed = choices[key];
    if (allowed !== undefined) {
      if (!allowed.includes(String(entry))) return fault(`${key} must be one of ${allowed.join(', ')}`, key);
      read[key] = entry;
    } else if (durations.includes(key)) {
      read[key] = seconds(entry);
      if (read[key] === undefined) return fault(`${key} must be a duration such as 30s`, key);
    } else {
      return fault(`has no key ${key}; it knows ${[...Object.keys(choices), ...durations].join(', ')}`, key);
    }
  }
  const { 'on-failure': onFailure, ...rest } = read;
  return { ...defaults, ...rest, ...(onFailure === undefined ? {} : { onFailure }) } as UpdatePolicy;
}

/** The policy of a service whose file was checked; stop first where the value means nothing. */
export function updatePolicyOf(service: Extensions): UpdatePolicy {
  const policy = readUpdatePolicy(service['x-update']);
  return 'order' in policy ? policy : defaults;
}
