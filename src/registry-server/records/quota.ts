import { fault } from '../faults.ts';
import type { Quota } from './records.ts';

/** The names below a prefix: from the first (included) to the second (not included), in byte order. */
export function usageRange(prefix: string): [string, string] {
  return [prefix, `${prefix}\u007f`];
}

/** The refusal of a push that would pass a quota. */
export function quotaExceeded(quota: Quota, used: number) {
  const where = quota.prefix === '' ? 'this registry' : `repositories below "${quota.prefix}"`;
  return fault(
    'DENIED',
    `quota of ${where} exceeded: ${quota.bytes} bytes allowed, this push needs ${used}; delete images you do not need`,
    { quota: quota.bytes, needed: used },
  );
}
