import { invalid } from '#base';

/** Turns a string into the type that a key asks for. Throws `invalid` with Go's words. */
export type Cast = (text: string) => boolean | number;

/** Reads a boolean as YAML 1.1 spells it. */
export function toBoolean(text: string): boolean {
  const word = text.toLowerCase();
  if (['true', 'y', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'n', 'no', 'off', '0'].includes(word)) return false;
  throw invalid(`invalid boolean: ${text}`);
}

/** Reads a decimal integer; `reader` is the Go function whose message a fault gets. */
export function toInteger(text: string, reader = 'Atoi'): number {
  if (!/^[-+]?\d+$/.test(text)) throw invalid(`strconv.${reader}: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw invalid(`strconv.${reader}: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return value;
}

/** Reads a decimal integer; a fault is worded as one of a 64-bit number. */
export function toInteger64(text: string): number {
  return toInteger(text, 'ParseInt');
}

/** Reads a number. */
export function toNumber(text: string): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw invalid(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}
