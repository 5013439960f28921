import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, unavailable } from '#base';

/** One archive that apt reads (sources.list(5)). */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Keyring file, or undefined for apt's trusted ones. */
  readonly signedBy: string | undefined;
}

/** The binary archives that the host's apt is set up with, from `directory` (normally /etc/apt). */
export async function readAptSources(directory: string): Promise<AptSource[]> {
  const parts = join(directory, 'sources.list.d');
  const names = (await readdir(parts).catch(none<string[]>([]))).sort();
  const files = [join(directory, 'sources.list'), ...names.map((name) => join(parts, name))];
  const sources: AptSource[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(none(''));
    if (file.endsWith('.list')) sources.push(...parseLines(text));
    else if (file.endsWith('.sources')) sources.push(...parseStanzas(text));
  }
  return sources;
}

/**
 * The host's archives turned to another release: those whose suite is `from`, or begins with it and a hyphen
 * (`-updates`, `-security`), with `to` in its place. Throws `unavailable` when there is none.
 */
export function sourcesForSuite(sources: readonly AptSource[], from: string, to: string): AptSource[] {
  const found = sources
    .filter(({ suite }) => suite === from || suite.startsWith(`${from}-`))
    .map((source) => ({ ...source, suite: to + source.suite.slice(from.length) }));
  if (found.length === 0)
    throw unavailable(`apt of this host has no archive of ${from}: add one to /etc/apt/sources.list`);
  return found;
}

/** The text of a deb822 `.sources` file. */
export function formatAptSources(sources: readonly AptSource[]): string {
  return sources
    .map(({ uri, suite, components, signedBy }) => {
      const lines = ['Types: deb', `URIs: ${uri}`, `Suites: ${suite}`, `Components: ${components.join(' ')}`];
      if (signedBy !== undefined) lines.push(`Signed-By: ${signedBy}`);
      return `${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** One-line style: `deb [signed-by=FILE] URI SUITE COMPONENT...`. */
function parseLines(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    return [{ uri, suite, components: words(components), signedBy: /signed-by=(\S+)/.exec(options)?.[1] }];
  });
}

/** deb822 style: stanzas of `Field: value`, continued lines begin with a blank. */
function parseStanzas(text: string): AptSource[] {
  const plain = text.split('\n').filter((line) => !line.startsWith('#'));
  return plain
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const fields = new Map<string, string>();
      for (const [, name = '', value = ''] of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
        fields.set(name.toLowerCase(), value.trim());
      }
      const field = (name: string) => words(fields.get(name) ?? '');
      if (!field('types').includes('deb') || fields.get('enabled') === 'no') return [];
      const signed = fields.get('signed-by');
      // A key written into the file itself cannot be handed on by name.
      const signedBy = signed?.startsWith('/') ? signed : undefined;
      return field('uris').flatMap((uri) =>
        field('suites').map((suite) => ({ uri, suite, components: field('components'), signedBy })),
      );
    });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

function none<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (errnoOf(error) === 'ENOENT') return value;
    throw error;
  };
}
