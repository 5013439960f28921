/** `KEY=VALUE` words as the API takes filters: JSON of key to set of values. Undefined when there are none. */
export function filtersQuery(words: readonly string[]): string | undefined {
  const filters: Record<string, Record<string, true>> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals === -1) continue;
    const key = word.slice(0, equals).trim().toLowerCase();
    filters[key] = { ...filters[key], [word.slice(equals + 1).trim()]: true };
  }
  return Object.keys(filters).length === 0 ? undefined : JSON.stringify(filters);
}
