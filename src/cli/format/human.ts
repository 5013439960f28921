import { zoneAbbreviation } from './zone-abbreviation.ts';

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

function significant(value: number, digits: number): string {
  const text = value.toPrecision(digits);
  const plain = text.includes('e') ? String(Number(text)) : text;
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}

function scaled(bytes: number, base: number, units: readonly string[]): { value: number; unit: string } {
  let value = bytes;
  let index = 0;
  while (value >= base && index < units.length - 1) {
    value /= base;
    index += 1;
  }
  return { value, unit: units[index] ?? '' };
}

/** Bytes with powers of 1000 and `digits` significant digits: `1.98MB`. */
export function humanSize(bytes: number, digits = 4): string {
  const { value, unit } = scaled(bytes, 1000, decimalUnits);
  return `${significant(value, digits)}${unit}`;
}

/** Bytes with powers of 1024 and four significant digits: `23.54GiB`. */
export function binarySize(bytes: number): string {
  const { value, unit } = scaled(bytes, 1024, binaryUnits);
  return `${significant(value, 4)}${unit}`;
}

/** A length of time in words, from milliseconds: `About a minute`, `2 hours`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(milliseconds / 3_600_000);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(milliseconds / 3_600_000 / 24 / 365)} years`;
}

/** How long ago a time in seconds since the epoch was; empty for "never". */
export function ago(seconds: number, now = Date.now()): string {
  return `${humanDuration(now - seconds * 1000)} ago`;
}

/** Day, clock and offset of a time in the zone of this machine: `2026-11-21`, `01:51:17`, `+0000`. */
function localTime(time: Date): readonly [day: string, clock: string, offset: string] {
  const two = (value: number) => String(value).padStart(2, '0');
  const east = -time.getTimezoneOffset();
  const offset = `${east < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(east) / 60))}${two(Math.abs(east) % 60)}`;
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return [day, `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`, offset];
}

/** A time in seconds since the epoch as Go prints it, in the zone of this machine: `2026-11-21 01:51:17 +0000 UTC`. */
export function goTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return `${localTime(time).join(' ')} ${zoneAbbreviation(time)}`;
}

/** A time in seconds since the epoch as RFC 3339 in the zone of this machine; `fraction` follows the seconds (`.012`). */
export function rfc3339(seconds: number, fraction = ''): string {
  const [day, clock, offset] = localTime(new Date(seconds * 1000));
  return `${day}T${clock}${fraction}${offset === '+0000' ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(3)}`}`;
}

/** The first `width` columns of a text, the last of them an ellipsis where something is cut. Wide letters count two. */
export function ellipsis(text: string, width: number): string {
  const chars = [...text];
  if (width <= 0) return '';
  const columns = (char: string): number =>
    /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(char) ? 2 : 1;
  const total = chars.reduce((sum, char) => sum + columns(char), 0);
  if (total <= width) return text;
  if (width === 1) return chars[0] ?? '';
  let used = 0;
  let out = '';
  for (const char of chars) {
    if (used + columns(char) > width - 1) break;
    used += columns(char);
    out += char;
  }
  return `${out}…`;
}

/** The first twelve letters of an id, without its algorithm. */
export function shortId(id: string): string {
  return id.slice(id.indexOf(':') + 1).slice(0, 12);
}
