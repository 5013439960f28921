import { invalid, parseDuration } from '#base';

function local(text: string): number {
  const full = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text;
  const parts = /^(\d{4}-\d{2}-\d{2}T\d{2}):?(\d{2})?(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(full);
  if (!parts) return Number.NaN;
  const [, hour, minute = '00', second = '00', zone = ''] = parts;
  return Date.parse(`${hour}:${minute}:${second}${zone}`);
}

/**
 * A time as users give it (RFC 3339 with or without zone or clock, seconds since the epoch, a duration back from now) as
 * the API takes it: seconds and nanoseconds. Empty stays empty. Throws `invalid`.
 */
export function readTime(text: string, now = Date.now()): string {
  if (text === '' || /^-?\d+(\.\d+)?$/.test(text)) return text;
  try {
    const nanoseconds = BigInt(Math.round(now)) * 1_000_000n - BigInt(Math.round(parseDuration(text)));
    return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;
  } catch {
    const milliseconds = local(text);
    if (Number.isNaN(milliseconds))
      throw invalid(`parsing time ${JSON.stringify(text)}: expected RFC 3339, seconds, or a duration`);
    const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
    return `${Math.floor(milliseconds / 1000)}.${fraction.padEnd(9, '0')}`;
  }
}
