import { usageRange } from './quota.ts';
import type { RepositoryRange } from './records.ts';

/** A condition on `r.name` for the repositories of a range, with the values of its parameters from `$1` on. */
export function cacheTerms(range: RepositoryRange): { sql: string; values: string[] } {
  const within = (index: number) => `r.name >= $${2 * index + 1} AND r.name < $${2 * index + 2}`;
  return {
    sql: [within(0), ...range.except.map((_, index) => `NOT (${within(index + 1)})`)].join(' AND '),
    values: [range.prefix, ...range.except].flatMap(usageRange),
  };
}
