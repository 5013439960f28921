import { invalid } from '#base';
import type { FlagValues } from '../flags/index.ts';

/** `--format` of the lists that know no templates. Throws `invalid` with docker compose's text. */
export function listFormat(given: FlagValues): 'table' | 'json' {
  const format = given.string('format', 'table').toLowerCase();
  if (format === 'json') return 'json';
  if (format === 'table' || format === 'pretty' || format === '') return 'table';
  throw invalid(`format value ${JSON.stringify(given.string('format'))} could not be parsed: parsing failed`);
}
