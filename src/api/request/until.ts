import { invalid, parseDuration } from '#base';
import type { Filters } from './filters.ts';

/**
 * The `until` filter as ms since the epoch: a Unix time, an RFC 3339 time, or a Go duration before `now`. Undefined
 * where it is not given. Throws `invalid`.
 */
export function untilFilter(filters: Filters, now: number): number | undefined {
  const [text, ...more] = filters.until ?? [];
  if (text === undefined) return undefined;
  if (more.length > 0) throw invalid('more than one until filter specified');
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(/[zZ]|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`);
  if (/^\d{4}-/.test(text) && !Number.isNaN(date)) return date;
  const [, month] = /^\d{4}-(\d\d)-\d\d/.exec(text) ?? [];
  if (month !== undefined) {
    const part = Number(month) < 1 || Number(month) > 12 ? 'month' : 'day';
    throw invalid(`parsing time ${JSON.stringify(text)}: ${part} out of range`);
  }
  try {
    return now - parseDuration(text) / 1e6;
  } catch (cause) {
    throw invalid(`failed to parse value as time or duration: ${JSON.stringify(text)}`, { cause });
  }
}
