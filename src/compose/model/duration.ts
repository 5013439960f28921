import { invalid } from '#base';

const unitNanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/** Nanoseconds of `text`, exact. Throws `invalid` with Go's words. */
function parseExact(text: string): bigint {
  const body = text.replace(/^[-+]/, '');
  if (body === '0') return 0n;
  if (body === '') throw invalid(`time: invalid duration "${text}"`);
  const pattern = /(\d*)(?:\.(\d*))?([^\d.]*)/y;
  let total = 0n;
  for (let index = 0; index < body.length; index = pattern.lastIndex) {
    pattern.lastIndex = index;
    const [, whole = '', fraction = '', unit = ''] = pattern.exec(body) ?? [];
    if (whole + fraction === '') throw invalid(`time: invalid duration "${text}"`);
    if (unit === '') throw invalid(`time: missing unit in duration "${text}"`);
    const nanoseconds = Object.hasOwn(unitNanoseconds, unit) ? unitNanoseconds[unit] : undefined;
    if (nanoseconds === undefined) throw invalid(`time: unknown unit "${unit}" in duration "${text}"`);
    total += (BigInt(whole + fraction) * nanoseconds) / 10n ** BigInt(fraction.length);
  }
  return text.startsWith('-') ? -total : total;
}

function decimals(value: bigint, unit: bigint): string {
  const rest = value % unit;
  if (rest === 0n) return String(value / unit);
  const digits = String(rest).padStart(String(unit).length - 1, '0');
  return `${value / unit}.${digits.replace(/0+$/, '')}`;
}

function format(value: bigint): string {
  if (value === 0n) return '0s';
  const sign = value < 0n ? '-' : '';
  const size = value < 0n ? -value : value;
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimals(size, 1_000n)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimals(size, 1_000_000n)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimals(size % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** A duration (`90s`, `1.5h`, `2d`, `1w`) as Go prints it (`1m30s`). Throws `invalid` with Go's words. */
export function canonicalDuration(text: string): string {
  return format(parseExact(text));
}

/** Nanoseconds of a duration of the model, for the engine's API. Throws `invalid` with Go's words. */
export function nanosecondsOf(text: string): number {
  return Number(parseExact(text));
}
