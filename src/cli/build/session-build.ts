import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Readable } from 'node:stream';
import { conflict, isBerthError, notImplemented, unavailable } from '#base';
import type { BuildSession, Client, Query, SessionOffer, SolveEvent } from '#client';
import { type ConfigFile, readConfigFile } from '../host/index.ts';
import { credentialsFor, registryKey } from '../progress/index.ts';
import type { ContextArguments } from './build-context.ts';
import type { ContextSource } from './context-flag.ts';
import { failedPlace } from './failed-place.ts';
import { frontEndOptions } from './front-end-options.ts';
import { hasFailed, type TraceDisplay } from './plain-trace.ts';
import { readSessionContext, type SessionContext } from './session-context.ts';

/** What a build gets beside its context. */
export interface BuildExtras {
  readonly secrets: SessionOffer['secrets'];
  /** Sockets of agents by id. */
  readonly agents: ReadonlyMap<string, string>;
  /** Named contexts. */
  readonly contexts: ReadonlyMap<string, ContextSource>;
}

/** A build that may ask its client for things. */
export interface SessionBuildRequest {
  readonly place: ContextArguments;
  readonly extras: BuildExtras;
  /** The query of POST /build for a Dockerfile, without what the session adds. */
  query(dockerfile: string): Query;
  readonly display: TraceDisplay;
  /** Directory of config.json, for logins. */
  readonly configDir: string;
  readonly signal?: AbortSignal;
}

async function credentials(config: ConfigFile, host: string) {
  const key = registryKey(host === 'registry-1.docker.io' ? 'docker.io' : host);
  const found = await credentialsFor(config, key);
  if (found === undefined) return undefined;
  if (found.identitytoken) return { username: '', secret: found.identitytoken };
  return { username: found.username ?? '', secret: found.password ?? '' };
}

/** The directory of a named context on a session; its name cannot be that of the main ones. */
const directoryName = (name: string): string => `named:${name}`;

function offerOf(request: SessionBuildRequest, context: SessionContext): SessionOffer {
  const { extras, configDir } = request;
  const named = [...extras.contexts].flatMap(([name, source]): [string, string][] =>
    source.kind === 'directory' ? [[directoryName(name), source.path]] : [],
  );
  const directories = new Map([...context.directories, ...named]);
  const places = [...directories.entries()].map(([name, path]) => `${name}=${path}`).join('\n');
  const config = readConfigFile(configDir);
  return {
    sharedKey: createHash('sha256').update(`${hostname()}\n${places}`).digest('hex'),
    directories,
    secrets: extras.secrets,
    agents: extras.agents,
    credentials: (host) => credentials(config, host),
  };
}

/** Where named contexts are, as BuildKit says it. */
function contextWords(contexts: BuildExtras['contexts']): Record<string, string> {
  return Object.fromEntries(
    [...contexts].map(([name, source]) => [
      name,
      source.kind === 'image' ? `docker-image://${source.reference}` : `local:${directoryName(name)}`,
    ]),
  );
}

/** Whether POST /build of an engine takes named contexts: other engines would build without them. */
async function takesContexts(client: Client): Promise<boolean> {
  const { Platform } = await client.system.version();
  return Platform?.Name === 'Berth';
}

/** What a build says on its way: a trace, or the image at last. */
async function* buildByPost(
  client: Client,
  build: { readonly session: BuildSession; readonly query: Query; readonly upload: Readable | undefined },
  signal?: AbortSignal,
): AsyncGenerator<SolveEvent> {
  const { session, query, upload } = build;
  const messages = client.images.build({
    context: upload,
    // What is shown is decided here; an engine that is to be quiet leaves the image's id out of the stream.
    query: { ...query, version: '2', session: session.id, q: undefined },
    auths: {},
    ...(signal ? { signal } : {}),
  });
  for await (const { id: kind, aux, errorDetail, error } of messages) {
    const fault = errorDetail?.message ?? error;
    if (fault !== undefined) throw unavailable(fault);
    if (kind === 'moby.buildkit.trace') yield { kind: 'trace', trace: session.readTrace(aux) };
    else if (typeof aux === 'object' && aux !== null && 'ID' in aux) yield { kind: 'image', id: String(aux.ID) };
  }
}

/** The build by BuildKit's own API, for named contexts on dockerd. */
async function* buildBySolving(
  build: { readonly session: BuildSession; readonly query: Query; readonly upload: Readable | undefined },
  contexts: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): AsyncGenerator<SolveEvent> {
  if (build.upload !== undefined) {
    throw notImplemented('this engine takes named contexts only beside a directory, not beside a context on stdin');
  }
  try {
    yield* build.session.solve(frontEndOptions(build.query, contexts), signal);
  } catch (error) {
    const missing = error instanceof Error && error.name === 'ApiError' && isBerthError(error, 'not-found');
    if (missing) throw notImplemented('this engine has no place for named contexts', { cause: error });
    if (!isBerthError(error) || error.name !== 'BerthError' || error.kind === 'canceled') throw error;
    throw unavailable(error.message.replace(/^failed to solve: /, ''), { cause: error });
  }
}

async function openSession(client: Client, offer: SessionOffer, signal?: AbortSignal): Promise<BuildSession> {
  try {
    return await client.openSession(offer, signal);
  } catch (error) {
    if (!isBerthError(error, 'not-found')) throw error;
    throw conflict('this engine has no build sessions: secrets, ssh and named contexts need a newer one', {
      cause: error,
    });
  }
}

/** The part of the Dockerfile that failed, ready to print; empty when unknown. */
function placeOfFailure([vertex]: readonly string[], { text, dockerfile }: SessionContext): string {
  return vertex === undefined || text === undefined ? '' : failedPlace(vertex, { name: dockerfile, text });
}

/**
 * Builds with a session and shows what the build says. Resolves with the image's id. Throws `unavailable` with the
 * engine's text when the build fails (`details.place` is where, ready to print), `canceled` when the signal ends it.
 */
export async function buildWithSession(client: Client, request: SessionBuildRequest): Promise<string> {
  const { extras, display, signal } = request;
  await using context = await readSessionContext(request.place);
  const session = await openSession(client, offerOf(request, context), signal);
  const contexts = contextWords(extras.contexts);
  const query: Query = { ...request.query(context.dockerfile), remote: context.remote };
  const build = { session, query, upload: context.upload };
  const failures: string[] = [];
  let id = '';
  try {
    const isPlain = extras.contexts.size === 0;
    const named = isPlain ? query : { ...query, namedcontexts: JSON.stringify(contexts) };
    const events =
      isPlain || (await takesContexts(client))
        ? buildByPost(client, { ...build, query: named }, signal)
        : buildBySolving(build, contexts, signal);
    for await (const event of events) {
      if (event.kind === 'image') id = event.id;
      else {
        failures.push(...event.trace.vertexes.flatMap((vertex) => (hasFailed(vertex) ? [vertex.name] : [])));
        display.show(event.trace);
      }
    }
    return id;
  } catch (error) {
    // The build's own failure; errors of connections and refused calls have classes of their own.
    if (!isBerthError(error, 'unavailable') || error.name !== 'BerthError') throw error;
    throw unavailable(error.message, { cause: error, details: { place: placeOfFailure(failures, context) } });
  } finally {
    session.close();
    display.finish();
  }
}
