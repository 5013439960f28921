import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { apiVersion, minApiVersion } from '#api-types';
import { type Actor, asActor, invalid, type Logger } from '#base';
import type { ApiPorts } from './ports.ts';
import { contextOf, extendContext, olderThan } from './request/context.ts';
import { registerBootstrap } from './routes/bootstrap.ts';
import { registerBuild } from './routes/build/register-build.ts';
import { registerContainerAttach } from './routes/containers/attach.ts';
import { registerCheckpoints } from './routes/containers/checkpoints.ts';
import { registerCommit } from './routes/containers/commit.ts';
import { registerContainerFiles } from './routes/containers/files.ts';
import { registerContainerLifecycle } from './routes/containers/lifecycle.ts';
import { registerContainerLists } from './routes/containers/list.ts';
import { registerContainerLogs } from './routes/containers/logs.ts';
import { registerContainerSecrets } from './routes/containers/secrets.ts';
import { registerContainerStats } from './routes/containers/stats.ts';
import { registerContainerTakeOver } from './routes/containers/take-over.ts';
import { registerContainerWait } from './routes/containers/wait.ts';
import { registerControl } from './routes/control.ts';
import { registerDiskUsage } from './routes/disk-usage.ts';
import { registerExec } from './routes/exec.ts';
import { registerImageLists } from './routes/images/list.ts';
import { registerImageNames } from './routes/images/names.ts';
import { registerImagePrune } from './routes/images/prune.ts';
import { registerImageTransfer } from './routes/images/transfer.ts';
import { registerImageVersions } from './routes/images/versions.ts';
import { registerNetworks } from './routes/networks.ts';
import { registerProjects } from './routes/projects.ts';
import { registerSession } from './routes/session.ts';
import { registerPlugins, registerSwarm } from './routes/swarm.ts';
import { registerSystem } from './routes/system.ts';
import { registerVolumes } from './routes/volumes.ts';
import { type ListenAddress, listenOn, makeServer } from './server/listen.ts';
import { escapeNames, splitVersion } from './server/path.ts';
import { routeUpgrade } from './server/upgrade.ts';
import { ClientSessions } from './session/client-sessions.ts';
import { errorText, statusOf } from './status.ts';

/** What the server is told beside its ports. */
export interface ApiOptions {
  readonly log: Logger;
  /** The engine's version, for the Server header. */
  readonly version: string;
  readonly experimental?: boolean;
  /** Uid and pid of a unix socket's peer; undefined for TCP. */
  readonly peerCredentials?: (socket: Socket) => { uid: number; pid: number } | undefined;
}

/** The HTTP side of the engine. */
export interface ApiServer {
  /** Listens on one more address and returns it with the port that was chosen. Throws `conflict`, `unavailable`. */
  listen(address: ListenAddress): Promise<{ port?: number }>;
  /** Stops listening and cuts all connections; requests under way see their client gone. */
  close(): Promise<void>;
}

/** Builds the server; it listens on nothing yet. */
export async function createApiServer(ports: ApiPorts, options: ApiOptions): Promise<ApiServer> {
  const app = createApp(ports, options);
  await app.ready();
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();
  const route = (request: IncomingMessage, response: ServerResponse) => app.routing(request, response);
  return {
    async listen(address) {
      const server = makeServer(address, route);
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      server.on('upgrade', (request, socket, head) => {
        const remember = (raw: IncomingMessage, upgraded: Parameters<typeof extendContext>[1]['upgraded']) =>
          extendContext(raw, upgraded === undefined ? {} : { upgraded });
        void routeUpgrade(request, socket, { head, remember, route });
      });
      await listenOn(server, address);
      servers.add(server);
      const bound = server.address() as AddressInfo | string | null;
      return typeof bound === 'object' && bound !== null ? { port: bound.port } : {};
    },
    async close() {
      const closed = [...servers].map((server) => new Promise((resolve) => server.close(resolve)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      await app.close();
    },
  };
}

function createApp(ports: ApiPorts, options: ApiOptions): FastifyInstance {
  const app = fastify({
    exposeHeadRoutes: false,
    loggerInstance: fastifyLogger(options.log),
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096 },
    rewriteUrl(raw) {
      const { version, url } = splitVersion(raw.url ?? '/');
      if (version !== undefined) extendContext(raw, { version });
      // Some clients send `tar` and the like with archives; the framework would refuse what is no media type.
      const type = raw.headers['content-type'];
      if (type !== undefined && !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+/.test(type)) delete raw.headers['content-type'];
      return escapeNames(raw.method ?? 'GET', url);
    },
  });
  // Bodies reach the handlers as streams: JSON is read with a limit there, archives are passed on as they come.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  addHooks(app, options);
  const sessions = new ClientSessions();
  registerSystem(app, ports);
  registerDiskUsage(app, ports);
  registerContainerLists(app, ports);
  registerContainerLifecycle(app, ports);
  registerContainerTakeOver(app, ports);
  registerContainerSecrets(app, ports);
  registerContainerWait(app, ports);
  registerContainerAttach(app, ports);
  registerContainerLogs(app, ports);
  registerContainerStats(app, ports);
  registerContainerFiles(app, ports);
  registerCommit(app, ports);
  registerCheckpoints(app, ports);
  registerExec(app, ports);
  registerImageLists(app, ports);
  registerImageNames(app, ports);
  registerImagePrune(app, ports);
  registerImageTransfer(app, ports);
  registerImageVersions(app, ports);
  registerNetworks(app, ports);
  registerVolumes(app, ports);
  registerProjects(app, ports);
  registerBuild(app, ports, sessions);
  registerSession(app, sessions);
  registerControl(app, ports, sessions);
  registerBootstrap(app, ports);
  registerSwarm(app);
  registerPlugins(app);
  app.options('/*', (_request, reply) => reply.code(200).send());
  return app;
}

/** What the web framework itself has to say goes to the engine's log. */
function fastifyLogger(log: Logger): FastifyBaseLogger {
  const line = (level: keyof Logger) => (subject: unknown, text?: string) => {
    log[level](text ?? 'api', typeof subject === 'string' ? { subject } : { error: errorText(subject) });
  };
  const error = line('error');
  const quiet = line('debug');
  const logger: FastifyBaseLogger = {
    level: 'info',
    fatal: error,
    error,
    warn: line('warn'),
    info: quiet,
    debug: quiet,
    trace: () => undefined,
    silent: () => undefined,
    child: () => logger,
  };
  return logger;
}

function addHooks(app: FastifyInstance, options: ApiOptions): void {
  const headers = {
    'Api-Version': apiVersion,
    'Docker-Experimental': String(options.experimental ?? false),
    Ostype: 'linux',
    Server: `Berth/${options.version} (linux)`,
  };
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers);
    asActor(actorOf(request, options), () =>
      done(request.is404 ? undefined : versionError(contextOf(request).version)),
    );
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // Docker names no charset with JSON, and some clients compare the whole header.
    if (String(reply.getHeader('content-type')).startsWith('application/json')) {
      reply.header('content-type', 'application/json');
    }
    done();
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ message: 'page not found' }));
  app.setErrorHandler((error, request, reply) => sendError(error, { request, reply, log: options.log }));
}

function actorOf(request: FastifyRequest, { peerCredentials }: ApiOptions): Actor {
  const agent = request.headers['user-agent'];
  return { via: 'api', ...peerCredentials?.(request.raw.socket), ...(agent === undefined ? {} : { agent }) };
}

function versionError(version: string): Error | undefined {
  if (olderThan(apiVersion, version)) {
    return invalid(`client version ${version} is too new. Maximum supported API version is ${apiVersion}`);
  }
  if (olderThan(version, minApiVersion)) {
    return invalid(
      `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, ` +
        'please upgrade your client to a newer version',
    );
  }
  return undefined;
}

function sendError(
  error: unknown,
  { request, reply, log }: { request: FastifyRequest; reply: FastifyReply; log: Logger },
): void {
  const status = statusOf(error);
  if (status === 500)
    log.error('request failed', { method: request.method, url: request.url, error: errorText(error) });
  if (status === 304) {
    void reply.code(304).send();
    return;
  }
  void reply
    .code(status)
    .type('application/json')
    .send({ message: errorText(error) });
}
