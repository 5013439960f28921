import type { Command, GlobalFlags, Terminal } from '../command/index.ts';
import { commandTable, groups } from '../command-table.ts';
import { composeFlags } from '../compose/compose-flags.ts';
import { composeTable } from '../compose/compose-table.ts';
import { findCommand } from '../find-command.ts';
import { type FlagSpec, parseFlags } from '../flags/index.ts';
import { globalFlags } from '../global-flags.ts';
import { readGlobals } from '../read-globals.ts';
import { type Cursor, findCursor } from './cursor.ts';
import { flagValues } from './flag-values.ts';
import { type ContainerState, ObjectNames } from './object-names.ts';
import { placesAt } from './place.ts';
import { choices, filesOnly, nothing, type Suggestion, type Suggestions } from './suggestion.ts';

/** Commands that only some containers are of use to. */
const STATES: Readonly<Record<string, ContainerState>> = {
  attach: 'running',
  exec: 'running',
  kill: 'running',
  pause: 'running',
  start: 'stopped',
  stats: 'running',
  stop: 'running',
  top: 'running',
  unpause: 'paused',
};

type Described = Pick<Command, 'usage' | 'flags' | 'interspersed'>;

/** A command line that is being typed, and where on it one part of the program begins. */
class Line {
  readonly #terminal: Terminal;
  readonly #globals: GlobalFlags;
  readonly #names: ObjectNames;
  #composeWords: readonly string[] = [];

  constructor(globals: GlobalFlags, terminal: Terminal) {
    this.#terminal = terminal;
    this.#globals = globals;
    this.#names = new ObjectNames(globals, terminal.env);
  }

  /** After the program's name. */
  async program(words: readonly string[]): Promise<Suggestions> {
    const cursor = findCursor(words, { specs: globalFlags, interspersed: false });
    if (cursor.at !== 'argument') return this.#flag(cursor, globalFlags);
    const rest = [...cursor.positional, words.at(-1) ?? ''];
    const [first = '', second] = rest;
    if (second === undefined) return listed(topWords());
    if (first === 'help') return rest.length === 2 ? listed(topWords()) : nothing;
    if (first === 'compose') return this.#compose(rest.slice(1));
    if (rest.length === 2 && Object.hasOwn(groups, first)) return listed(groupWords(first));
    // The word being typed is no part of the name.
    const found = findCommand(cursor.positional);
    if (found === undefined) return nothing;
    const { command } = await found.entry.load();
    const [canonical = ''] = found.entry.names;
    return this.#command(command, canonical, rest.slice(found.used));
  }

  async #compose(words: readonly string[]): Promise<Suggestions> {
    const cursor = findCursor(words, { specs: composeFlags, interspersed: false });
    if (cursor.at !== 'argument') return this.#flag(cursor, composeFlags);
    const [name, ...rest] = [...cursor.positional, words.at(-1) ?? ''];
    const shown = composeTable.filter(({ hidden }) => hidden !== true);
    if (rest.length === 0) return listed(shown.map((entry) => ({ value: entry.name, text: entry.short })));
    const entry = composeTable.find((candidate) => candidate.name === name);
    if (entry === undefined) return nothing;
    this.#composeWords = words.slice(0, words.length - rest.length - 1);
    const { command } = await entry.load();
    return this.#command(command, `compose ${name}`, rest);
  }

  /** After a command's name. */
  async #command(command: Described, name: string, words: readonly string[]): Promise<Suggestions> {
    const specs = command.flags ?? [];
    const options = command.interspersed === undefined ? {} : { interspersed: command.interspersed };
    const cursor = findCursor(words, { specs, ...options });
    if (cursor.at !== 'argument') return this.#flag(cursor, specs);
    const { positional } = cursor;
    const fixed = /^[a-z]+(?:\|[a-z]+)+$/.exec(command.usage)?.[0];
    if (fixed !== undefined) return positional.length === 0 ? choices(...fixed.split('|')) : nothing;
    const places = placesAt(command.usage, positional.length);
    const found = await Promise.all(places.map((place) => this.#words(place, STATES[name] ?? 'any')));
    const both = places.includes('file') && places.length > 1;
    return {
      words: found
        .flat()
        .filter(({ value }) => !positional.includes(value))
        .map((word) => (both ? { ...word, value: `${word.value}:` } : word)),
      files: places.includes('file'),
      ...(both ? { unfinished: true } : {}),
    };
  }

  async #flag(cursor: Exclude<Cursor, { at: 'argument' }>, specs: readonly FlagSpec[]): Promise<Suggestions> {
    if (cursor.at === 'flag') {
      const shown = specs.filter(({ hidden }) => !hidden);
      return listed([
        ...shown.map(({ name, text }) => ({ value: `--${name}`, text })),
        { value: '--help', text: 'Say how it is used' },
      ]);
    }
    const { words, place } = flagValues(cursor.spec.name);
    const found = place === undefined ? choices(...(words ?? [])).words : await this.#words(place, 'any');
    if (found.length === 0) return place === undefined ? filesOnly : nothing;
    return { words: found.map((word) => ({ ...word, value: cursor.prefix + word.value })), files: false };
  }

  async #words(place: Parameters<ObjectNames['in']>[0], state: ContainerState): Promise<Suggestion[]> {
    return place === 'service' ? this.#services() : this.#names.in(place, state);
  }

  /** Services of the project that the flags after `compose` mean. */
  async #services(): Promise<Suggestion[]> {
    const { serviceNames } = await import('./service-names.ts');
    return serviceNames(this.#composeWords, { globals: this.#globals, terminal: this.#terminal });
  }
}

function listed(words: readonly Suggestion[]): Suggestions {
  return { words, files: false };
}

function topWords(): Suggestion[] {
  const commands = commandTable.flatMap(({ names, short }) =>
    names.filter((name) => !name.includes(' ')).map((value) => ({ value, text: short })),
  );
  const grouping = Object.entries(groups).map(([value, text]) => ({ value, text }));
  return [...commands, ...grouping, { value: 'help', text: 'Say how a command is used' }];
}

function groupWords(group: string): Suggestion[] {
  return commandTable.flatMap(({ names, short }) =>
    names
      .filter((name) => name.startsWith(`${group} `))
      .map((name) => ({ value: name.slice(group.length + 1), text: short })),
  );
}

/**
 * What may stand where the last of `words` is being typed (the words after the program's name), for the shells' scripts: a
 * line for each suggestion that begins as typed, a tab and its description behind it, and last a line `:N` whose number
 * says what the shell does beside (cobra's protocol, so that scripts made for docker understand it): bit 1 (2) puts no space behind
 * a word, bit 2 (4) offers no files.
 */
export async function complete(words: readonly string[], terminal: Terminal): Promise<string> {
  const typed = words.at(-1) ?? '';
  let found: Suggestions;
  try {
    const globals = readGlobals(globalsOf(words), terminal.env);
    found = await new Line(globals, terminal).program(words.length === 0 ? [''] : words);
  } catch {
    // Whoever types is told what is wrong when the command runs.
    found = nothing;
  }
  const fitting = found.words
    .filter(({ value }) => value.startsWith(typed))
    .sort((a, b) => (a.value < b.value ? -1 : 1));
  const lines = fitting.map(({ value, text }) => (text ? `${value}\t${text}` : value));
  const directive = (found.unfinished ? 2 : 0) + (found.files ? 0 : 4);
  return [...lines, `:${directive}`, ''].join('\n');
}

/** The flags before the command, as far as they can be read. */
function globalsOf(words: readonly string[]): ReturnType<typeof parseFlags>['values'] {
  const { positional } = findCursor([...words, ''], { specs: globalFlags, interspersed: false });
  const before = words.slice(0, words.length - positional.length);
  try {
    return parseFlags(before, { specs: globalFlags, interspersed: false }).values;
  } catch {
    return parseFlags([], { specs: globalFlags }).values;
  }
}
