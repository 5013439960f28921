import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ContextArguments, placeOfContext, readBuildContext } from './build-context.ts';

/** What a build with a session is made of. Disposing of it removes what was made for it on disk. */
export interface SessionContext extends AsyncDisposable {
  /** Offered on the session, by the names that the engine asks for. */
  readonly directories: ReadonlyMap<string, string>;
  /** `remote` and `dockerfile` of POST /build. */
  readonly remote: string | undefined;
  readonly dockerfile: string;
  /** The body, where the context is no directory. */
  readonly upload: Readable | undefined;
  /** Text of the Dockerfile where it is at hand. */
  readonly text: string | undefined;
}

const nothingToRemove = async (): Promise<void> => undefined;

/**
 * Prepares what a build's arguments name: a directory stays where it is, the engine asks for what it needs of it; a context
 * on stdin becomes the body; an address is the engine's. Throws `invalid` with Docker's texts.
 */
export async function readSessionContext(options: ContextArguments): Promise<SessionContext> {
  const place = placeOfContext(options);
  if (place.kind !== 'directory') {
    const { tar, dockerfile, remote } = await readBuildContext(options);
    const rest = { directories: new Map(), text: undefined, [Symbol.asyncDispose]: nothingToRemove };
    return { ...rest, upload: tar, dockerfile, remote };
  }
  const { directory, dockerfile } = place;
  const shared = { remote: 'client-session', upload: undefined };
  if (dockerfile !== undefined) {
    return {
      ...shared,
      directories: new Map([
        ['context', directory],
        ['dockerfile', dirname(dockerfile)],
      ]),
      dockerfile: basename(dockerfile),
      text: await readFile(dockerfile, 'utf8').catch(() => undefined),
      [Symbol.asyncDispose]: nothingToRemove,
    };
  }
  const written = await text(options.stdin);
  const folder = await mkdtemp(join(tmpdir(), 'berth-dockerfile-'));
  await writeFile(join(folder, 'Dockerfile'), written);
  return {
    ...shared,
    directories: new Map([
      ['context', directory],
      ['dockerfile', folder],
    ]),
    dockerfile: 'Dockerfile',
    text: written,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
