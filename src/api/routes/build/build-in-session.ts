import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalid } from '#base';
import type { BuildRecipe } from '#builder';
import { encodeTrace } from '#buildkit';
import type { ApiPorts } from '../../ports.ts';
import { bodyOf, clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import type { ClientSession, ClientSessions } from '../../session/client-sessions.ts';
import { sessionFiles, tracedBuild } from '../../session/session-build.ts';
import { assertServing } from '../../session/session-services.ts';
import { BuildTrace } from '../../stream/build-trace.ts';
import { ProgressStream } from '../../stream/progress.ts';
import { buildOptions, fullTag, givenContext } from './build-options.ts';
import { requestedOutput } from './build-outputs.ts';
import { namedContexts } from './named-contexts.ts';
import { RunningBuilds } from './running-builds.ts';

/** What such builds need beside their request. */
interface Services {
  readonly ports: ApiPorts;
  readonly sessions: ClientSessions;
  readonly running: RunningBuilds;
}

/**
 * A build as BuildKit's clients ask for it (`version=2`): what the request does not hold is asked of the client's
 * session, and the answer is a trace. Also takes the request that uploads the context of another (`docker build -`).
 */
export async function buildInSession(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { running, ports } = services;
  const query = new Query(request);
  const buildId = query.nonEmpty('buildid');
  const gone = clientGone(reply);
  const uploadFor = RunningBuilds.uploadOf(buildId);
  if (uploadFor !== undefined) {
    await running.upload(uploadFor, bodyOf(request), gone);
    return reply.code(200).send();
  }
  const quiet = query.bool('q');
  const stream = new ProgressStream(reply);
  const build = running.start(buildId);
  const trace = new BuildTrace((part) => {
    if (quiet) return;
    stream.send({ id: 'moby.buildkit.trace', aux: Buffer.from(encodeTrace(part)).toString('base64') });
  });
  const over = new AbortController();
  await stream.run(async () => {
    try {
      const signals = [gone, build.signal, over.signal];
      const session = await sessionOf(services.sessions, query, AbortSignal.any(signals));
      const signal = AbortSignal.any([...signals, ...(session === undefined ? [] : [session.signal])]);
      // Whatever is wrong with the request is told when the client serves: see assertServing.
      const options = buildOptions(query, request);
      const output = requestedOutput(query);
      const tags = [...new Set([...options.tags, ...output.names.map(fullTag)])];
      const contexts = namedContexts(query, session);
      const files = await filesOf(services, { request, query, session, signal, trace, dockerfile: options.dockerfile });
      const built = { ...options, ...files, tags, contexts, signal };
      const imageId = await tracedBuild({ builder: ports.builder, trace, session, output, request: built });
      stream.send(quiet ? { stream: `${imageId}\n` } : { id: 'moby.image.id', aux: { ID: imageId } });
    } catch (error) {
      trace.end();
      throw error;
    } finally {
      build.end();
      // Whatever is still asked of the session, or left of its files, is of no use any more.
      over.abort();
    }
  });
  return reply;
}

async function sessionOf(
  sessions: ClientSessions,
  query: Query,
  signal: AbortSignal,
): Promise<ClientSession | undefined> {
  const id = query.nonEmpty('session');
  if (id === undefined) return undefined;
  const session = await sessions.get(id, signal);
  await assertServing(session, signal);
  return session;
}

interface FilesRequest {
  readonly request: FastifyRequest;
  readonly query: Query;
  readonly session: ClientSession | undefined;
  readonly signal: AbortSignal;
  readonly trace: BuildTrace;
  readonly dockerfile: string;
}

/** The context, and the Dockerfile where it comes apart from it. */
async function filesOf(
  { ports, running }: Services,
  { request, query, session, signal, trace, dockerfile }: FilesRequest,
): Promise<{ context: Readable; recipe?: BuildRecipe }> {
  const remote = query.nonEmpty('remote');
  if (remote === 'upload-request') {
    return { context: await running.uploaded(query.nonEmpty('buildid') ?? '', signal) };
  }
  if (remote !== 'client-session') return { context: await givenContext(ports, { request, remote, signal }) };
  if (session === undefined) throw invalid('failed to read dockerfile: could not access local files without session');
  return sessionFiles(session, { dockerfile, signal, trace });
}
