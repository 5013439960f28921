import { zeroTime } from '#api-types';

/** A time as Go writes it: RFC 3339 with the zeros at the end cut off; Go's zero time for undefined. ms in. */
export function formatTime(ms: number | undefined): string {
  if (ms === undefined) return zeroTime;
  const whole = Math.floor(ms);
  const iso = new Date(whole).toISOString();
  const micros = Math.round((ms - whole) * 1000);
  const digits = `${iso.slice(20, 23)}${micros > 0 ? String(micros).padStart(3, '0') : ''}`.replace(/0+$/, '');
  return `${iso.slice(0, 19)}${digits === '' ? '' : `.${digits}`}Z`;
}

/** Whole seconds since the epoch. ms in. */
export function formatSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** Seconds since the epoch of an RFC 3339 text; 0 where there is none. */
export function secondsOf(text: string | undefined): number {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? 0 : formatSeconds(ms);
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A span as `docker ps` words it: `About a minute`, `3 weeks`. ms in. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / second);
  const minutes = Math.floor(ms / minute);
  const hours = Math.round(ms / hour);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(ms / day / 365)} years`;
}
