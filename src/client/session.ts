import { randomBytes } from 'node:crypto';
import { invalid, notFound } from '#base';
import {
  answering,
  decodeTrace,
  type Handler,
  type Metadata,
  sendTree,
  serveGrpc,
  sessionMethods,
  streaming,
  type Trace,
} from '#buildkit';
import { forwardAgent } from './agent-forwarding.ts';
import { maxSecretSize } from './secret-size.ts';
import { type SolvedBuild, type SolveEvent, solveBuild } from './solve-build.ts';
import type { Transport } from './transport.ts';

/** What a client has for a build. */
export interface SessionOffer {
  /** Says to the engine which sessions offer the same directories: what it has of these it need not get again. */
  readonly sharedKey: string;
  /** Paths of directories by the names that the engine knows them by; nothing else can be read. */
  readonly directories: ReadonlyMap<string, string>;
  /** By id; each reads its value, undefined for none. */
  readonly secrets: ReadonlyMap<string, () => Promise<Uint8Array | undefined>>;
  /** Sockets of ssh agents by id. */
  readonly agents: ReadonlyMap<string, string>;
  /** The login of a registry's host, undefined for none. A login by token has no user name. */
  credentials(host: string): Promise<{ readonly username: string; readonly secret: string } | undefined>;
}

/** A connection on which the engine asks for what was offered. */
export interface BuildSession {
  /** Named in the query of POST /build. */
  readonly id: string;
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  /** Decodes what a build says as `moby.buildkit.trace`. Throws `invalid` for what is none. */
  readTrace(aux: unknown): Trace;
  /** Builds by BuildKit's own API with this session; see {@link solveBuild}. */
  solve(build: Omit<SolvedBuild, 'session'>, signal?: AbortSignal): AsyncGenerator<SolveEvent>;
  close(): void;
}

/** Values of a key, which BuildKit sends query-escaped where one of them is not ASCII. */
function values(metadata: Metadata, key: string): readonly string[] {
  const list = metadata[key] ?? [];
  const isEncoded = /^(1|t|true)$/i.test(metadata[`${key}-encoded`]?.[0] ?? '');
  return isEncoded ? list.map((text) => decodeURIComponent(text.replaceAll('+', ' '))) : list;
}

function fileHandlers({ directories }: SessionOffer): Handler[] {
  if (directories.size === 0) return [];
  return [
    streaming(sessionMethods.sendFiles, async (stream, signal) => {
      const name = values(stream.metadata, 'dir-name')[0] ?? '';
      const directory = directories.get(name);
      if (directory === undefined) throw notFound(`no access allowed to dir ${JSON.stringify(name)}`);
      const tree = {
        directory,
        include: values(stream.metadata, 'include-patterns'),
        exclude: values(stream.metadata, 'exclude-patterns'),
        follow: values(stream.metadata, 'followpaths'),
      };
      await sendTree(stream, tree, signal);
    }),
  ];
}

function secretHandlers({ secrets }: SessionOffer): Handler[] {
  if (secrets.size === 0) return [];
  return [
    answering(sessionMethods.getSecret, async ({ ID }) => {
      const data = await secrets.get(ID)?.();
      if (data === undefined) throw notFound(`secret ${ID} not found`);
      if (data.length > maxSecretSize) throw invalid(`invalid secret size ${data.length}: at most ${maxSecretSize}`);
      return { data };
    }),
  ];
}

function agentHandlers({ agents }: SessionOffer): Handler[] {
  if (agents.size === 0) return [];
  const socketOf = (id: string): string => {
    const path = agents.get(id === '' ? 'default' : id);
    if (path === undefined) throw notFound(`unset ssh forward key ${id}`);
    return path;
  };
  return [
    answering(sessionMethods.checkAgent, async ({ ID }) => {
      socketOf(ID);
      return {};
    }),
    streaming(sessionMethods.forwardAgent, (stream, signal) =>
      forwardAgent(stream, socketOf(values(stream.metadata, 'buildkit.ssh.id')[0] ?? ''), signal),
    ),
  ];
}

function credentialsHandler(offer: SessionOffer): Handler {
  return answering(sessionMethods.credentials, async ({ Host }) => {
    const found = await offer.credentials(Host);
    return { Username: found?.username ?? '', Secret: found?.secret ?? '' };
  });
}

function readTrace(aux: unknown): Trace {
  if (typeof aux !== 'string') throw invalid('a trace of a build is base64 text');
  return decodeTrace(Buffer.from(aux, 'base64'));
}

/**
 * Opens a session of BuildKit (`POST /session`) on which the engine may ask for what is offered, until it is closed. Throws
 * `ApiError` where the engine has no sessions, `ConnectError` where there is none.
 */
export async function openSession(
  transport: Transport,
  offer: SessionOffer,
  signal?: AbortSignal,
): Promise<BuildSession> {
  const id = randomBytes(16).toString('hex');
  const handlers = [
    ...fileHandlers(offer),
    ...secretHandlers(offer),
    ...agentHandlers(offer),
    credentialsHandler(offer),
  ];
  const headers = {
    'x-docker-expose-session-uuid': id,
    'x-docker-expose-session-name': 'berth',
    'x-docker-expose-session-sharedkey': offer.sharedKey,
    'x-docker-expose-session-grpc-method': [sessionMethods.health.path, ...handlers.map(({ path }) => path)],
  };
  const call = { method: 'POST', path: '/session', headers, ...(signal ? { signal } : {}) } as const;
  const { stream } = await transport.hijack(call, 'h2c');
  const serving = serveGrpc(stream, handlers);
  return {
    id,
    closed: serving.closed,
    readTrace,
    solve: (build, ending) => solveBuild(transport, { ...build, session: id }, ending),
    close: () => serving.close(),
  };
}
