import { suggestionText } from './suggest.ts';

/** How a flag is written: `--x=text`, `--x[=true|false]`, or `--x=text` several times. */
export type FlagType = 'string' | 'bool' | 'list';

/** Flags of one instruction, by name without dashes. */
export interface FlagValues {
  text(name: string): string | undefined;
  bool(name: string): boolean | undefined;
  list(name: string): readonly string[];
}

/**
 * Reads an instruction's flags against its table. `fail` makes the error to throw from Docker's text: unknown flag (with
 * a suggestion), duplicate flag, missing value, not a boolean.
 */
export function readFlags(
  words: readonly string[],
  table: Readonly<Record<string, FlagType>>,
  fail: (text: string) => Error,
): FlagValues {
  const found = new Map<string, string[]>();
  for (const word of words) {
    const body = word.slice(2);
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    const type = Object.hasOwn(table, name) ? table[name] : undefined;
    if (type === undefined) throw fail(`unknown flag: --${name}${suggestionText(name, Object.keys(table).sort())}`);
    const values = found.get(name);
    if (values && type !== 'list') throw fail(`duplicate flag specified: --${name}`);
    if (equals < 0 && type !== 'bool') throw fail(`missing a value on flag: --${name}`);
    const value = equals < 0 ? 'true' : body.slice(equals + 1);
    if (type === 'bool' && !/^(true|false)$/i.test(value)) {
      throw fail(`expecting boolean value for flag --${name}, not: ${value}`);
    }
    if (values) values.push(value);
    else found.set(name, [value]);
  }
  return {
    text: (name) => found.get(name)?.[0],
    bool: (name) => {
      const value = found.get(name)?.[0];
      return value === undefined ? undefined : value.toLowerCase() === 'true';
    },
    list: (name) => found.get(name) ?? [],
  };
}
