import { invalid } from '#base';

const powers = 'kmgtp';
const largest = 2 ** 63;

/** What Go's `strconv.ParseFloat` reads, but for underscores; undefined when it is no number. */
function toFloat(text: string): number | undefined {
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text)) return Number(text);
  if (/^[-+]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return undefined;
}

/**
 * Bytes of a size such as `64m`, `1.5 GiB` or `1024`, as docker compose reads it (the rules of Docker's go-units): a
 * number, a blank if wanted, one of `b k m g t p` in any case, and `b` or `ib` after it. A size that does not fit into
 * 64 bits is the least number that does. Throws `invalid` with docker compose's words.
 */
export function memorySize(text: string): number {
  const end = Math.max(...[...'0123456789. '].map((char) => text.lastIndexOf(char)));
  if (end === -1) throw invalid(`invalid size: '${text}'`);
  const number = text.slice(0, text[end] === ' ' ? end : end + 1);
  const suffix = text.slice(end + 1);
  const size = toFloat(number);
  if (size === undefined) {
    throw invalid(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`);
  }
  if (size < 0) throw invalid(`invalid size: '${text}'`);
  const unit = suffix.length > 3 ? undefined : /^(?:b?|([kmgtp])(?:i?b)?)$/.exec(suffix.toLowerCase());
  if (!unit) throw invalid(`invalid suffix: '${suffix.length > 3 ? suffix : suffix.toLowerCase()}'`);
  const bytes = Math.trunc(size * 1024 ** (unit[1] === undefined ? 0 : powers.indexOf(unit[1]) + 1));
  return bytes < largest ? bytes : -largest;
}
