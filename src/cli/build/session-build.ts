import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { conflict, isBerthError, notImplemented, unavailable } from '#base';
import type { BuildSession, Client, Query, SessionOffer } from '#client';
import { type ConfigFile, readConfigFile } from '../host/index.ts';
import { credentialsFor, registryKey } from '../progress/index.ts';
import type { ContextArguments } from './build-context.ts';
import type { ContextSource } from './context-flag.ts';
import { failedPlace } from './failed-place.ts';
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

/** Named contexts as the query that Berth reads; undefined without any. */
function contextsQuery(contexts: BuildExtras['contexts']): string | undefined {
  if (contexts.size === 0) return undefined;
  return JSON.stringify(
    Object.fromEntries(
      [...contexts].map(([name, source]) => [
        name,
        source.kind === 'image' ? `docker-image://${source.reference}` : `local:${directoryName(name)}`,
      ]),
    ),
  );
}

/** Other engines would build without named contexts and fail where they are used, or worse, not fail. */
async function checkEngine(client: Client, contexts: BuildExtras['contexts']): Promise<void> {
  const [name] = contexts.keys();
  if (name === undefined) return;
  const { Platform } = await client.system.version();
  if (Platform?.Name === 'Berth') return;
  throw notImplemented(
    `build context ${name}: this engine (${Platform?.Name || 'not Berth'}) takes named contexts from docker buildx only: ` +
      'build there, or give the files with the main context',
  );
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
 * Builds with a session (`POST /build?version=2`) and shows what the build says. Resolves with the image's id. Throws
 * `unavailable` with the engine's text when the build fails (`details.place` is where, ready to print), `canceled` when the
 * signal ends it.
 */
export async function buildWithSession(client: Client, request: SessionBuildRequest): Promise<string> {
  const { extras, display, signal } = request;
  await checkEngine(client, extras.contexts);
  await using context = await readSessionContext(request.place);
  const session = await openSession(client, offerOf(request, context), signal);
  let id = '';
  const failures: string[] = [];
  try {
    const messages = client.images.build({
      context: context.upload,
      query: {
        ...request.query(context.dockerfile),
        version: '2',
        // What is shown is decided here; an engine that is to be quiet leaves the image's id out of the stream.
        q: undefined,
        session: session.id,
        remote: context.remote,
        namedcontexts: contextsQuery(extras.contexts),
      },
      auths: {},
      ...(signal ? { signal } : {}),
    });
    for await (const { id: kind, aux, errorDetail, error } of messages) {
      const fault = errorDetail?.message ?? error;
      if (fault !== undefined) throw unavailable(fault, { details: { place: placeOfFailure(failures, context) } });
      if (kind === 'moby.buildkit.trace') {
        const trace = session.readTrace(aux);
        failures.push(...trace.vertexes.flatMap((vertex) => (hasFailed(vertex) ? [vertex.name] : [])));
        display.show(trace);
      } else if (typeof aux === 'object' && aux !== null && 'ID' in aux) id = String(aux.ID);
    }
    return id;
  } finally {
    session.close();
    display.finish();
  }
}
