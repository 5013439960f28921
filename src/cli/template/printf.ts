import { formatNumber, formatValue, goExponent, goType } from './go-value.ts';
import { quote } from './quote.ts';

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

function pad(text: string, verb: Verb, numeric: boolean): string {
  const missing = (verb.width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (verb.flags.includes('-')) return text + ' '.repeat(missing);
  if (verb.flags.includes('0') && numeric) {
    const sign = /^[+-]/.exec(text)?.[0] ?? '';
    return sign + '0'.repeat(missing) + text.slice(sign.length);
  }
  return ' '.repeat(missing) + text;
}

function signed(text: string, verb: Verb): string {
  if (text.startsWith('-')) return text;
  return verb.flags.includes('+') ? `+${text}` : verb.flags.includes(' ') ? ` ${text}` : text;
}

function integer(value: number, verb: Verb): string | undefined {
  const radix: Record<string, number> = { d: 10, x: 16, X: 16, o: 8, b: 2 };
  const base = radix[verb.verb];
  if (base !== undefined) {
    const digits = BigInt(value).toString(base);
    const prefix = verb.flags.includes('#') && base === 16 ? `0${verb.verb}` : '';
    return signed(prefix + (verb.verb === 'X' ? digits.toUpperCase() : digits), verb);
  }
  if (verb.verb === 'c') return String.fromCodePoint(value);
  if (verb.verb === 'q') return `'${String.fromCodePoint(value)}'`;
  if (verb.verb === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
  return undefined;
}

function float(value: number, verb: Verb): string | undefined {
  switch (verb.verb) {
    case 'f':
    case 'F':
      return signed(value.toFixed(verb.precision ?? 6), verb);
    case 'e':
      return signed(goExponent(value.toExponential(verb.precision ?? 6)), verb);
    case 'g':
      return signed(
        verb.precision === undefined
          ? formatNumber(value)
          : formatNumber(Number(value.toPrecision(Math.max(1, verb.precision)))),
        verb,
      );
    default:
      return undefined;
  }
}

function text(value: string, verb: Verb): string | undefined {
  const cut = verb.precision === undefined ? value : [...value].slice(0, verb.precision).join('');
  if (verb.verb === 's') return cut;
  if (verb.verb === 'q') return quote(cut);
  if (verb.verb === 'x') return Buffer.from(cut).toString('hex');
  if (verb.verb === 'X') return Buffer.from(cut).toString('hex').toUpperCase();
  return undefined;
}

function formatOne(value: unknown, verb: Verb): string {
  if (verb.verb === 'T') return pad(goType(value), verb, false);
  if (verb.verb === 'v') {
    const shown = verb.flags.includes('#') && typeof value === 'string' ? quote(value) : formatValue(value);
    return pad(typeof value === 'number' ? signed(shown, verb) : shown, verb, typeof value === 'number');
  }
  if (typeof value === 'string') {
    const shown = text(value, verb);
    if (shown !== undefined) return pad(shown, verb, false);
  } else if (typeof value === 'number') {
    const shown = (Number.isInteger(value) ? integer(value, verb) : undefined) ?? float(value, verb);
    const refused = Number.isInteger(value) && 'feEgG'.includes(verb.verb);
    if (shown !== undefined && !refused) return pad(shown, verb, verb.verb !== 'c' && verb.verb !== 'U');
    if (shown !== undefined) return pad(shown, verb, true);
  } else if (typeof value === 'boolean') {
    if (verb.verb === 't') return pad(String(value), verb, false);
  } else if (Array.isArray(value)) {
    return `[${value.map((part) => formatOne(part, verb)).join(' ')}]`;
  } else if (verb.verb === 's') {
    return value === null || value === undefined ? `%!${verb.verb}(<nil>)` : pad(formatValue(value), verb, false);
  }
  return value === null || value === undefined
    ? `%!${verb.verb}(<nil>)`
    : `%!${verb.verb}(${goType(value)}=${formatValue(value)})`;
}

/** Go's fmt.Sprintf for the values that templates can hold. */
export function sprintf(format: string, args: readonly unknown[]): string {
  let used = 0;
  const star = (word: string | undefined): number | undefined => {
    if (word === undefined || word === '') return undefined;
    return word === '*' ? Number(args[used++]) : Number(word);
  };
  const out = format.replace(/%([-+# 0]*)(\*|\d*)(?:\.(\*|\d*))?(.?)/gsu, (_, flags, width, precision, verb) => {
    if (verb === '%') return '%';
    if (verb === '') return '%!(NOVERB)';
    const parsed = { flags, width: star(width), precision: precision === '' ? 0 : star(precision), verb };
    if (used >= args.length) return `%!${verb}(MISSING)`;
    return formatOne(args[used++], parsed);
  });
  if (used >= args.length) return out;
  const extra = args.slice(used).map((value) => `${goType(value)}=${formatValue(value)}`);
  return `${out}%!(EXTRA ${extra.join(', ')})`;
}

/** Go's fmt.Sprint: a blank between two neighbours of which neither is a string. */
export function sprint(args: readonly unknown[]): string {
  let out = '';
  for (const [index, value] of args.entries()) {
    if (index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string') out += ' ';
    out += formatValue(value);
  }
  return out;
}
