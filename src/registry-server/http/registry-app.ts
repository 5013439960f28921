import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from '#base';
import type { Authenticator, Identity, Scope } from '../auth/access.ts';
import type { TokenService } from '../auth/token-service.ts';
import type { Metrics } from '../metrics.ts';
import type { ListRecords } from '../records/records.ts';
import { type AccessEntry, type RequestNotes, watchRequest } from './access-log.ts';
import type { BlobRoutes } from './blob-routes.ts';
import { errorAnswer } from './error-answer.ts';
import { AccessRefused, Exchange } from './exchange.ts';
import type { ListRoutes } from './list-routes.ts';
import type { ManifestRoutes } from './manifest-routes.ts';
import type { RateLimit } from './rate-limit.ts';
import { parseRoute, type Route } from './route.ts';
import { answerToken, tokenPath } from './token-route.ts';

/** What {@link createRegistryApp} puts behind one listener. */
export interface RegistryAppOptions {
  readonly authenticator: Authenticator;
  readonly tokens: TokenService | undefined;
  readonly blobs: BlobRoutes;
  readonly manifests: ManifestRoutes;
  readonly listings: ListRoutes;
  readonly lists: ListRecords;
  readonly uploadsActive: () => number;
  readonly metrics: Metrics;
  readonly limit: RateLimit;
  /** Actions that become events, and what is called when one may have been stored. */
  readonly told: ReadonlySet<string>;
  readonly onChange: () => void;
  readonly accessLog: ((entry: AccessEntry) => void) | undefined;
  /** Scheme and host that clients reach the registry by; taken from the request where undefined. */
  readonly externalUrl: string | undefined;
  /** Clients that neither send nor read for so many ms are cut off. */
  readonly stallTimeout: number;
  readonly maxConnections: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly logger: Logger;
}

/** How long the rest of a refused request's body is read before the connection is cut, ms. */
const lingering = 2000;

/** The HTTP side of the registry: its server, which does not listen yet. */
export async function createRegistryApp(options: RegistryAppOptions): Promise<Server> {
  const app = fastify({
    logger: false,
    // Bodies are streams here; fastify never reads one.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    routerOptions: { maxParamLength: 2000 },
    serverFactory: (listener) => makeServer(options, listener),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.hijack();
    await serve(options, request.raw, reply.raw);
  };
  app.setNotFoundHandler(handle);
  for (const url of ['/v2', '/v2/*', tokenPath, '/metrics', '/healthz']) app.all(url, handle);
  await app.ready();
  return app.server;
}

function makeServer(
  options: RegistryAppOptions,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const limits = { noDelay: true, requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 65_000 };
  const server = options.tls
    ? createTlsServer({ ...limits, ...options.tls, minVersion: 'TLSv1.2' }, listener)
    : createServer(limits, listener);
  server.maxConnections = options.maxConnections;
  server.setTimeout(options.stallTimeout);
  return server;
}

async function serve(options: RegistryAppOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const notes = watchRequest(request, response, { metrics: options.metrics, write: options.accessLog });
  const origin = options.externalUrl ?? originOf(request, options.tls !== undefined);
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // A client that goes away in the middle of an answer is no fault of ours.
  response.on('error', () => undefined);
  response.on('timeout', () => endStall(options, request, response));
  try {
    await answer(options, { request, response, notes, origin });
  } catch (error) {
    if (response.headersSent || response.destroyed || request.errored) {
      response.destroy();
      return;
    }
    const challenge = (scope: Scope | undefined, insufficient: boolean) =>
      options.authenticator.challenge({ origin, scopes: scope ? [asked(scope)] : [], insufficient });
    const { status, headers, body } = errorAnswer(error, { challenge, logger: options.logger });
    if (!request.complete) dropRest(request, response);
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

/** Cuts a client off that moves nothing; not one that waits for us, as while a large blob is copied or an upstream asked. */
function endStall({ stallTimeout }: RegistryAppOptions, request: IncomingMessage, response: ServerResponse): void {
  if (request.complete && !response.headersSent) request.socket.setTimeout(stallTimeout);
  else request.socket.destroy();
}

async function answer(
  options: RegistryAppOptions,
  at: { request: IncomingMessage; response: ServerResponse; notes: RequestNotes; origin: string },
): Promise<void> {
  const { request, response, notes, origin } = at;
  const { pathname, query } = splitUrl(request.url ?? '/');
  if (pathname === '/healthz') {
    response.end('ok\n');
    return;
  }
  options.limit.take(request.socket.remoteAddress ?? '', Date.now());
  if (pathname === tokenPath && options.tokens !== undefined) {
    notes.route = 'token';
    const body = JSON.stringify(await answerToken(options.tokens, request, query));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(body);
    return;
  }
  const identity = await options.authenticator.identify(request.headers.authorization);
  notes.user = identity.user;
  const exchange = new Exchange({ request, response, identity, query, told: options.told, origin });
  if (pathname === '/metrics') return sendMetrics(options, exchange);
  const route = parseRoute(pathname);
  if (route === undefined) {
    exchange.json(404, { errors: [{ code: 'NAME_UNKNOWN', message: 'no such page' }] });
    return;
  }
  notes.route = route.kind;
  await handlers(options, exchange, route);
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') options.onChange();
}

async function handlers(options: RegistryAppOptions, exchange: Exchange, route: Route): Promise<void> {
  const { blobs, manifests, listings } = options;
  switch (route.kind) {
    case 'base':
      requireLogin(exchange.identity);
      return exchange.json(200, {});
    case 'catalog':
      return listings.catalog(exchange);
    case 'tags':
      return listings.tags(exchange, route.repository);
    case 'uploads':
      return blobs.uploads(exchange, route.repository);
    case 'upload':
      return blobs.upload(exchange, route.repository, route.item);
    case 'blob':
      return blobs.blob(exchange, route.repository, route.item);
    case 'manifest':
      return manifests.manifest(exchange, route.repository, route.item);
    case 'referrers':
      return manifests.referrers(exchange, route.repository, route.item);
  }
}

/** Docker's clients learn from the answer to /v2/ how to log in. */
function requireLogin(identity: Identity): void {
  if (!identity.known && identity.canImprove) throw new AccessRefused(undefined, identity);
}

async function sendMetrics(options: RegistryAppOptions, exchange: Exchange): Promise<void> {
  requireLogin(exchange.identity);
  const totals = await options.lists.totals();
  const gauge = (help: string, value: number) => ({ help, value });
  const text = options.metrics.render({
    registry_uploads_open: gauge('Uploads whose writer is held open.', options.uploadsActive()),
    registry_repositories: gauge('Repositories.', totals.repositories),
    registry_tags: gauge('Tags.', totals.tags),
    registry_manifests: gauge('Manifests, counted per repository.', totals.manifests),
    registry_blobs: gauge('Blobs.', totals.blobs),
    registry_blob_bytes: gauge('Bytes of all blobs.', totals.blobBytes),
    process_resident_memory_bytes: gauge('Memory of the process.', process.memoryUsage.rss()),
  });
  exchange.send(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }, text);
}

/** Docker's clients push with a token that also lets them pull. */
function asked(scope: Scope): Scope {
  return scope.actions.includes('push') ? { ...scope, actions: ['pull', 'push'] } : scope;
}

function splitUrl(url: string): { pathname: string; query: URLSearchParams } {
  const at = url.indexOf('?');
  if (at < 0) return { pathname: url, query: new URLSearchParams() };
  return { pathname: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

function originOf(request: IncomingMessage, tls: boolean): string {
  const host = request.headers.host ?? '';
  const { localAddress, localPort } = request.socket;
  return `${tls ? 'https' : 'http'}://${/^[\w.:[\]-]{1,255}$/.test(host) ? host : `${localAddress}:${localPort}`}`;
}

/**
 * Reads and drops what a refused client still sends, for a moment: cut off at once, it would see a broken connection
 * instead of the answer.
 */
function dropRest(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.once('finish', () => {
    const timer = setTimeout(() => request.socket.destroy(), lingering);
    request.once('close', () => clearTimeout(timer));
  });
}
