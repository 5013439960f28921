import { invalid } from '#base';

/** Decoded `filters`: key to its alternatives. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/**
 * Reads a `filters` parameter in either of Docker's forms, `{"k":["v"]}` and `{"k":{"v":true}}`. Throws `invalid`
 * ("invalid filter") when it is neither, or names a key not in `accepted`; without that every key is taken.
 */
export function parseFilters(text: string | undefined, accepted?: readonly string[]): Record<string, string[]> {
  if (text === undefined || text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid('invalid filter');
  }
  if (parsed === null) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw invalid('invalid filter');
  return Object.fromEntries(
    Object.entries(parsed).map(([key, value]) => {
      if (accepted && !accepted.includes(key)) throw invalid(`invalid filter '${key}'`);
      return [key, filterValues(value)];
    }),
  );
}

function filterValues(value: unknown): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value)
      .filter(([, on]) => on !== false)
      .map(([name]) => name);
  }
  throw invalid('invalid filter');
}

/** True when `labels` meet every wish of the form `key` or `key=value`. */
function labelsMatch(labels: Readonly<Record<string, string>>, wishes: readonly string[] = []): boolean {
  return wishes.every((wish) => {
    const at = wish.indexOf('=');
    return at < 0 ? Object.hasOwn(labels, wish) : labels[wish.slice(0, at)] === wish.slice(at + 1);
  });
}

/** True when labels meet `label` and none of `label!`. */
export function labelFiltersMatch(labels: Readonly<Record<string, string>>, filters: Filters): boolean {
  if (!labelsMatch(labels, filters.label)) return false;
  return (filters['label!'] ?? []).every((wish) => !labelsMatch(labels, [wish]));
}

/** Reads a boolean filter such as `dangling`; undefined where it is not given. Throws `invalid`. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters[key];
  if (values === undefined || values.length === 0) return undefined;
  const yes = values.some((value) => value === '1' || value.toLowerCase() === 'true');
  const no = values.some((value) => value === '0' || value.toLowerCase() === 'false');
  if (yes === no || values.length > 1) throw invalid(`invalid filter '${key}=[${values.join(' ')}]'`);
  return yes;
}
