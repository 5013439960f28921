/**
 * A log line's time as `logs --timestamps` shows it: UTC with nine digits (`2026-01-02T03:04:05.000000006Z`).
 * Takes RFC 3339 with any offset; returns a text it cannot read unchanged.
 */
export function formatLogTime(text: string): string {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const [, seconds, fraction = '', zone] = match ?? [];
  if (seconds === undefined || zone === undefined) return text;
  const utc = /^(Z|[+-]00:00)$/.test(zone) ? seconds : new Date(`${seconds}${zone}`).toISOString().slice(0, 19);
  return `${utc}.${fraction.padEnd(9, '0')}Z`;
}
