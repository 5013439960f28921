import { invalid, notImplemented } from '#base';
import type { NamedContext } from '#builder';
import type { Query } from '../../request/query.ts';
import type { ClientSession } from '../../session/client-sessions.ts';
import { readDirectory, readIgnoreFile } from '../../session/session-files.ts';

const directoryPrefix = 'local:';
const imagePrefix = 'docker-image://';

/**
 * The contexts of `namedcontexts`, a parameter of this engine (docs/decisions/351): a JSON object from names to
 * `local:DIRECTORY`, which the session offers, or `docker-image://REFERENCE`. Throws `invalid`, `not-implemented`.
 */
export function namedContexts(query: Query, session: ClientSession | undefined): Record<string, NamedContext> {
  const given = Object.entries(query.map('namedcontexts'));
  return Object.fromEntries(given.map(([name, value]) => [name, namedContext(name, value ?? '', session)]));
}

/** One context by what it is said to be: `local:DIRECTORY` or `docker-image://REFERENCE`. Throws `invalid`, `not-implemented`. */
export function namedContext(name: string, value: string, session: ClientSession | undefined): NamedContext {
  if (value.startsWith(imagePrefix)) return { kind: 'image', reference: value.slice(imagePrefix.length) };
  if (!value.startsWith(directoryPrefix)) {
    throw notImplemented(`build context ${name}: ${value} is neither ${directoryPrefix} nor ${imagePrefix}`);
  }
  if (session === undefined) throw invalid(`build context ${name}: ${value} needs a session`);
  const directory = value.slice(directoryPrefix.length);
  return {
    kind: 'tree',
    async read(signal) {
      const options = { directory, signal, onBytes: () => undefined };
      return readDirectory(session, { ...options, ignore: await readIgnoreFile(session, options) });
    },
  };
}
