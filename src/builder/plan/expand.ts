import { replaceMatches, trimEnd, trimStart } from './glob-span.ts';

/** Value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/**
 * Replaces variables and takes quotes and escapes off, as Dockerfile instructions other than RUN and CMD do.
 * Throws a plain Error with Docker's text for a malformed substitution and for `${x?message}`; whoever calls knows the
 * place in the file and wraps it (see {@link expandFailure}).
 */
export function expandWord(text: string, lookup: Lookup, escapeChar = '\\'): string {
  return new Expander(text, lookup, escapeChar).run().join(' ');
}

/** The same, split at blanks that are outside quotes, also those that come from variables. */
export function expandWords(text: string, lookup: Lookup, escapeChar = '\\'): string[] {
  return new Expander(text, lookup, escapeChar).run(true);
}

/** Replaces variables in the body of a here-document, where quotes and escapes stay as they are. */
export function expandBody(text: string, lookup: Lookup, escapeChar = '\\'): string {
  return new Expander(text, lookup, escapeChar).runBody();
}

/** Docker's message for a word that could not be expanded. */
export function expandFailure(word: string, error: Error): string {
  return `failed to process ${JSON.stringify(word)}: ${error.message}`;
}

class Expander {
  readonly #text: string;
  readonly #lookup: Lookup;
  readonly #escape: string;
  #at = 0;

  constructor(text: string, lookup: Lookup, escapeChar: string) {
    this.#text = text;
    this.#lookup = lookup;
    this.#escape = escapeChar;
  }

  run(split = false): string[] {
    const words = new WordList(split);
    while (this.#at < this.#text.length) this.#piece(words, false);
    return words.finish();
  }

  runBody(): string {
    let body = '';
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at++);
      if (char === '$') body += this.#dollar();
      else body += char === this.#escape ? char + this.#text.charAt(this.#at++) : char;
    }
    return body;
  }

  /** Consumes one character, quoted stretch or substitution. `raw` keeps escapes, for patterns. */
  #piece(words: WordList, raw: boolean): void {
    const char = this.#text.charAt(this.#at++);
    if (char === "'") words.quoted(this.#singleQuoted());
    else if (char === '"') words.quoted(this.#doubleQuoted());
    else if (char === '$') words.unquoted(this.#dollar());
    else if (char === this.#escape) {
      if (this.#at >= this.#text.length) return;
      words.quoted((raw ? char : '') + this.#text.charAt(this.#at++));
    } else words.unquoted(char);
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw new Error('unexpected end of statement while looking for matching single-quote');
    const body = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return body;
  }

  #doubleQuoted(): string {
    let body = '';
    for (;;) {
      if (this.#at >= this.#text.length) {
        throw new Error('unexpected end of statement while looking for matching double-quote');
      }
      const char = this.#text.charAt(this.#at++);
      if (char === '"') return body;
      const next = this.#text.charAt(this.#at);
      if (char === '$') body += this.#dollar();
      else if (char === this.#escape && next !== '' && (next === '"' || next === '$' || next === this.#escape)) {
        body += next;
        this.#at++;
      } else body += char;
    }
  }

  #dollar(): string {
    if (this.#text.charAt(this.#at) !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#lookup(name) ?? '');
    }
    this.#at++;
    const first = this.#text.charAt(this.#at);
    if (first === '') throw new Error("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':') throw new Error('syntax error: bad substitution');
    const name = this.#name();
    const modifier = this.#text.charAt(this.#at++);
    if (modifier === '}') return this.#lookup(name) ?? '';
    if (modifier === '') throw new Error("syntax error: missing '}'");
    if (modifier === '/') return this.#replacement(name);
    const colon = modifier === ':';
    return this.#modified(name, colon ? this.#text.charAt(this.#at++) : modifier, colon);
  }

  #modified(name: string, operator: string, emptyIsUnset: boolean): string {
    if (!['-', '+', '?', '#', '%'].includes(operator)) {
      throw new Error(`unsupported modifier (${emptyIsUnset ? ':' : ''}${operator}) in substitution`);
    }
    const pattern = operator === '#' || operator === '%';
    const word = this.#until('}', pattern);
    const value = this.#lookup(name);
    if (pattern) {
      const longest = word.startsWith(operator);
      const glob = longest ? word.slice(1) : word;
      return operator === '#' ? trimStart(value ?? '', glob, longest) : trimEnd(value ?? '', glob, longest);
    }
    const missing = value === undefined || (emptyIsUnset && value === '');
    if (operator === '-') return missing ? word : value;
    if (operator === '+') return missing ? '' : word;
    if (!missing) return value;
    const state = value === undefined ? 'unset' : 'empty';
    throw new Error(`${name}: ${word === '' ? `is not allowed to be ${state}` : word}`);
  }

  #replacement(name: string): string {
    const all = this.#text.charAt(this.#at) === '/';
    if (all) this.#at++;
    const pattern = this.#until('/', true);
    const text = this.#until('}', false);
    return replaceMatches(this.#lookup(name) ?? '', pattern, text, all);
  }

  #until(stop: string, raw: boolean): string {
    const words = new WordList(false);
    for (;;) {
      if (this.#at >= this.#text.length) {
        throw new Error(stop === '}' ? "syntax error: missing '}'" : "syntax error: missing '/' in ${");
      }
      if (this.#text.charAt(this.#at) === stop) {
        this.#at++;
        return words.finish().join('');
      }
      this.#piece(words, raw);
    }
  }

  #name(): string {
    const name = /^(?:[@*#?\-$!0]|[1-9]\d*|[A-Za-z_]\w*)/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    this.#at += name.length;
    return name;
  }
}

/** Collects expanded text, split at unquoted blanks where asked. */
class WordList {
  readonly #split: boolean;
  readonly #words: string[] = [];
  #word = '';
  #open = false;

  constructor(split: boolean) {
    this.#split = split;
  }

  quoted(text: string): void {
    this.#word += text;
    this.#open = true;
  }

  unquoted(text: string): void {
    if (!this.#split) this.quoted(text);
    else {
      for (const [index, part] of text.split(/\s+/).entries()) {
        if (index > 0) this.#end();
        if (part !== '') this.quoted(part);
      }
    }
  }

  finish(): string[] {
    this.#end();
    return this.#words;
  }

  #end(): void {
    if (this.#open) this.#words.push(this.#word);
    this.#word = '';
    this.#open = false;
  }
}
