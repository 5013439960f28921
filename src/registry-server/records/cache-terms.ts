import { usageRange } from './quota.ts';
import type { RepositoryRange } from './records.ts';

/** A condition on `r.name` for the repositories of a range. `place` gives the text of the next parameter. */
export function cacheTerms(range: RepositoryRange, place: () => string): { sql: string; values: string[] } {
  const within = () => `r.name >= ${place()} AND r.name < ${place()}`;
  return {
    sql: [within(), ...range.except.map(() => `NOT (${within()})`)].join(' AND '),
    values: [range.prefix, ...range.except].flatMap(usageRange),
  };
}
