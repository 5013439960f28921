import { invalid } from '#base';

/** Turns a string into the type that a key asks for; `warn` hears of old spellings. Throws `invalid` with Go's words. */
export type Cast = (text: string, warn: (message: string) => void) => boolean | number;

/** Reads a boolean as YAML 1.1 spells it. */
export function toBoolean(text: string, warn: (message: string) => void): boolean {
  const word = text.toLowerCase();
  if (word === 'true') return true;
  if (word === 'false') return false;
  const value = ['y', 'yes', 'on'].includes(word);
  if (!value && !['n', 'no', 'off'].includes(word)) throw invalid(`invalid boolean: ${text}`);
  warn(`${JSON.stringify(text)} for boolean is not supported by YAML 1.2, please use \`${value}\``);
  return value;
}

/** Reads a decimal integer. */
export function toInteger(text: string): number {
  return parseInteger(text, 'Atoi');
}

/** `reader` is the Go function whose message a fault gets. */
function parseInteger(text: string, reader: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw invalid(`strconv.${reader}: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw invalid(`strconv.${reader}: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return value;
}

/** Reads a decimal integer; a fault is worded as one of a 64-bit number. */
export function toInteger64(text: string): number {
  return parseInteger(text, 'ParseInt');
}

/** Reads a number. */
export function toNumber(text: string): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw invalid(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}
