import { invalid, messageOf } from '#base';
import { suggest } from '../suggest.ts';
import type { FlagSpec } from './flag-spec.ts';
import { FlagValues } from './flag-values.ts';
import { readValue } from './read-value.ts';

/** A command line taken apart. */
export interface ParsedFlags {
  readonly values: FlagValues;
  readonly positional: string[];
  /** `--help` or `-h` (where the command has no `-h` of its own) was there. */
  readonly help: boolean;
}

/** How to read a command line. */
export interface ParseFlagsOptions {
  readonly specs: readonly FlagSpec[];
  /** False: everything from the first argument on belongs to somebody else (`run IMAGE COMMAND --flag`). */
  readonly interspersed?: boolean;
  /** Checks a word as soon as it is read, by flag name; what it throws is reported as that flag's error. */
  readonly checks?: Readonly<Record<string, (text: string) => unknown>>;
}

class Reader {
  readonly values: FlagValues;
  readonly #byName: Map<string, FlagSpec>;
  readonly #byShorthand: Map<string, FlagSpec>;
  readonly #checks: Readonly<Record<string, (text: string) => unknown>>;

  constructor(options: ParseFlagsOptions) {
    this.values = new FlagValues(options.specs);
    this.#byName = new Map(options.specs.map((spec) => [spec.name, spec]));
    this.#byShorthand = new Map(options.specs.flatMap((spec) => (spec.shorthand ? [[spec.shorthand, spec]] : [])));
    this.#checks = options.checks ?? {};
  }

  /** What is wrong with a flag that does not exist, and which one may have been meant. */
  unknown(name: string): Error {
    const meant = suggest(name, [...this.#byName.keys()]);
    return invalid(`unknown flag: --${name}${meant === undefined ? '' : `\n\nDid you mean '--${meant}'?`}`);
  }

  named(name: string): FlagSpec | undefined {
    return this.#byName.get(name);
  }

  short(letter: string): FlagSpec | undefined {
    return this.#byShorthand.get(letter);
  }

  set(spec: FlagSpec, text: string): void {
    const target = spec.aliasOf ?? spec.name;
    try {
      const value = readValue(spec, text);
      this.#checks[target]?.(text);
      this.values.set(target, value);
    } catch (error) {
      const shown = spec.shorthand ? `-${spec.shorthand}, --${spec.name}` : `--${spec.name}`;
      throw invalid(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${messageOf(error)}`);
    }
  }
}

/**
 * Takes a command line apart by the rules of Go's pflag: `--name value`, `--name=value`, `-abc`, `-nvalue`, `-n=value`;
 * switches take a value only after `=`; `--` ends the flags. Throws `invalid` with pflag's texts;
 * an unknown flag's also names the known one that is nearest.
 */
export function parseFlags(words: readonly string[], options: ParseFlagsOptions): ParsedFlags {
  const reader = new Reader(options);
  const positional: string[] = [];
  let help = false;
  let at = 0;
  const next = (): string | undefined => words[at++];

  const readLong = (word: string): void => {
    const equals = word.indexOf('=');
    const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
    if (name === '' || name.startsWith('-')) throw invalid(`bad flag syntax: ${word}`);
    const spec = reader.named(name);
    if (spec === undefined) {
      if (name !== 'help') throw reader.unknown(name);
      help = true;
    } else if (equals !== -1) reader.set(spec, word.slice(equals + 1));
    else if (spec.kind === 'bool') reader.set(spec, 'true');
    else {
      const value = next();
      if (value === undefined) throw invalid(`flag needs an argument: --${name}`);
      reader.set(spec, value);
    }
  };

  const readShort = (word: string): void => {
    for (let index = 1; index < word.length; index += 1) {
      const letter = word.charAt(index);
      const rest = word.slice(index + 1);
      const spec = reader.short(letter);
      if (spec === undefined) {
        if (letter !== 'h') throw invalid(`unknown shorthand flag: '${letter}' in ${word}`);
        help = true;
      } else if (rest.startsWith('=')) {
        reader.set(spec, rest.slice(1));
        return;
      } else if (spec.kind === 'bool') reader.set(spec, 'true');
      else if (rest !== '') {
        reader.set(spec, rest);
        return;
      } else {
        const value = next();
        if (value === undefined) throw invalid(`flag needs an argument: '${letter}' in ${word}`);
        reader.set(spec, value);
        return;
      }
    }
  };

  for (let word = next(); word !== undefined && !help; word = next()) {
    if (word === '--') {
      positional.push(...words.slice(at));
      break;
    }
    if (word.startsWith('--')) readLong(word);
    else if (word.startsWith('-') && word !== '-') readShort(word);
    else {
      positional.push(word);
      if (options.interspersed === false) {
        positional.push(...words.slice(at));
        break;
      }
    }
  }
  return { values: reader.values, positional, help };
}
