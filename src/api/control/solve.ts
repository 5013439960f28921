import type { Readable } from 'node:stream';
import { BerthError, type Digest, invalid, notImplemented } from '#base';
import type { BuildRecipe } from '#builder';
import { answering, controlMethods, type Handler, streaming } from '#buildkit';
import { canonicalString, parseReference } from '#oci';
import type { ApiPorts } from '../ports.ts';
import type { ClientSession, ClientSessions } from '../session/client-sessions.ts';
import { sessionFiles, tracedBuild } from '../session/session-build.ts';
import { BuildTrace } from '../stream/build-trace.ts';
import type { ControlBuild, ControlBuilds } from './control-build.ts';
import { checkCacheExports, exportedTags } from './exporters.ts';
import { type FrontendOptions, readFrontendOptions, readNamedContexts, unusedOptions } from './frontend-options.ts';
import { dockerfileFrontend, notADockerfile } from './gateway.ts';

/** What builds need beside their questions. */
export interface SolveServices {
  readonly ports: ApiPorts;
  readonly sessions: ClientSessions;
  readonly builds: ControlBuilds;
}

/** Answers `Control.Solve` and `Control.Status`. */
export function solveHandlers(services: SolveServices): Handler[] {
  const { builds } = services;
  return [
    answering(controlMethods.solve, async (question, { signal }) => {
      const build = builds.open(question, signal);
      try {
        return { ExporterResponse: await solve(services, build) };
      } finally {
        builds.close(build);
      }
    }),
    streaming(controlMethods.status, async (stream, signal) => {
      for await (const { Ref } of stream.received) {
        const { feed } = await builds.get(Ref, signal);
        for await (const part of feed.read(signal)) {
          await stream.send({ vertexes: [], statuses: [], logs: [], warnings: [], ...part });
        }
        return;
      }
    }),
  ];
}

/** Runs a build to its end; the answer tells of its image, and is empty where none was asked for. */
async function solve(services: SolveServices, build: ControlBuild): Promise<Record<string, string>> {
  const options = await frontendOptions(build);
  if (options === undefined) return {};
  checkCacheExports(build.question);
  const tags = exportedTags(build.question);
  const imageId = await buildImage(services, build, { options, tags });
  const names = tags.map((tag) => canonicalString(parseReference(tag)));
  return {
    'containerimage.digest': imageId,
    'containerimage.config.digest': imageId,
    ...(names.length > 0 ? { 'image.name': names.join(',') } : {}),
  };
}

/** What shall be built: as the question says, or as its client said beside it. Undefined for nothing. */
async function frontendOptions(build: ControlBuild): Promise<FrontendOptions | undefined> {
  const { question } = build;
  if (question.Frontend === dockerfileFrontend) return question.FrontendAttrs;
  if (question.Frontend !== '' || (question.Definition?.def.length ?? 0) > 0) throw notADockerfile(question.Frontend);
  const { result, error } = await build.returned;
  if (error !== null) throw new BerthError('unavailable', error.message);
  if (Object.keys(result?.refs?.refs ?? {}).length > 0) {
    throw notImplemented('a result of several platforms: this engine builds for one platform at a time');
  }
  const id = result?.ref?.id ?? '';
  return id === '' ? undefined : build.want(id).FrontendOpt;
}

interface Wanted {
  readonly options: FrontendOptions;
  readonly tags: readonly string[];
}

async function buildImage(services: SolveServices, build: ControlBuild, { options, tags }: Wanted): Promise<Digest> {
  const { ports, sessions } = services;
  const read = readFrontendOptions(options);
  const { Session } = build.question;
  const session = Session === '' ? undefined : await sessions.get(Session, build.signal);
  const signal = session === undefined ? build.signal : AbortSignal.any([build.signal, session.signal]);
  const trace = new BuildTrace(build.feed.push);
  try {
    const contexts = readNamedContexts(options, session);
    const files = await filesOf(ports, { options, session, signal, trace, dockerfile: read.dockerfile });
    for (const name of unusedOptions(options)) {
      trace.onEvent({ kind: 'warning', message: `${name} has no effect: this engine does not limit builds by it` });
    }
    const request = { ...read, ...files, tags, contexts, signal };
    return await tracedBuild({ builder: ports.builder, trace, session, request });
  } catch (error) {
    trace.end();
    throw error;
  }
}

interface FilesQuestion {
  readonly options: FrontendOptions;
  readonly session: ClientSession | undefined;
  readonly signal: AbortSignal;
  readonly trace: BuildTrace;
  readonly dockerfile: string;
}

/** The context, and the Dockerfile where it comes apart from it. */
async function filesOf(
  { registry }: ApiPorts,
  { options, session, signal, trace, dockerfile }: FilesQuestion,
): Promise<{ context: Readable; recipe?: BuildRecipe }> {
  const { context, contextkey, dockerfilekey } = options;
  if (context) {
    const isGit = !/^https?:\/\//.test(context) || /\.git(#|$)/.test(context);
    if (isGit || registry?.download === undefined) {
      throw notImplemented(`build context ${context}: fetch it and give its directory; only archives are fetched here`);
    }
    return { context: await registry.download(context, signal) };
  }
  if (session === undefined) throw invalid('failed to read dockerfile: no local sources enabled');
  const directories = {
    ...(contextkey ? { context: contextkey } : {}),
    ...(dockerfilekey ? { dockerfile: dockerfilekey } : {}),
  };
  return sessionFiles(session, { dockerfile, directories, signal, trace });
}
