import type { Readable } from 'node:stream';
import { type Digest, invalid, notImplemented } from '#base';
import type { BuildRecipe } from '#builder';
import type { ApiPorts } from '../ports.ts';
import { fullTag } from '../routes/build/build-options.ts';
import type { ClientSession, ClientSessions } from '../session/client-sessions.ts';
import { sessionFiles, tracedBuild } from '../session/session-build.ts';
import { uploadedArchive } from '../session/uploaded-archive.ts';
import { BuildTrace } from '../stream/build-trace.ts';
import { asBuildFailure } from './build-failure.ts';
import type { ControlBuild, WantedImage } from './control-build.ts';
import { outputOf } from './exporters.ts';
import { type FrontendOptions, readFrontendOptions, readNamedContexts, unusedOptions } from './frontend-options.ts';

/** What builds need beside their questions. */
export interface BuildServices {
  readonly ports: ApiPorts;
  readonly sessions: ClientSessions;
}

/** What the Dockerfile front end is asked to build. */
export interface FrontendQuestion {
  readonly options: FrontendOptions;
  /** What other builds want, by the names that options mention it by (`input:NAME`). */
  readonly inputs: ReadonlyMap<string, WantedImage>;
}

/** Builds the image of a Dockerfile and names it as the build's outputs say. Throws in BuildKit's words. */
export async function buildFrontend(
  { ports, sessions }: BuildServices,
  build: ControlBuild,
  { options, inputs }: FrontendQuestion,
): Promise<Digest> {
  const read = readFrontendOptions(options);
  const { Session } = build.question;
  const over = new AbortController();
  const session = Session === '' ? undefined : await sessions.get(Session, build.signal);
  const signal = AbortSignal.any([build.signal, over.signal, ...(session === undefined ? [] : [session.signal])]);
  const trace = new BuildTrace(build.feed.push);
  let recipe: BuildRecipe | undefined;
  try {
    const output = outputOf(build.question);
    const tags = [...new Set(output.names.map(fullTag))];
    const contexts = await readNamedContexts(options, { session, inputs });
    const files = await filesOf(ports, { options, session, signal, trace, dockerfile: read.dockerfile });
    recipe = files.recipe;
    for (const name of unusedOptions(options)) {
      trace.onEvent({ kind: 'warning', message: `${name} has no effect: this engine does not limit builds by it` });
    }
    const request = { ...read, ...files, tags, contexts, signal };
    return await tracedBuild({ builder: ports.builder, trace, session, output, request });
  } catch (error) {
    trace.end();
    throw asBuildFailure(error, { dockerfile: read.dockerfile, recipe, step: trace.failedStep });
  } finally {
    // Whatever is still asked of the session, or left of its files, is of no use any more.
    over.abort();
  }
}

interface FilesQuestion {
  readonly options: FrontendOptions;
  readonly session: ClientSession | undefined;
  readonly signal: AbortSignal;
  readonly trace: BuildTrace;
  readonly dockerfile: string;
}

/** URLs that stand for an archive which the client holds. */
const uploadPrefix = 'http://buildkit-session/';

/** The context, and the Dockerfile where it comes apart from it. */
async function filesOf(
  { registry }: ApiPorts,
  { options, session, signal, trace, dockerfile }: FilesQuestion,
): Promise<{ context: Readable; recipe?: BuildRecipe }> {
  const { context, contextkey, dockerfilekey } = options;
  if (session === undefined) throw invalid('failed to read dockerfile: no local sources enabled');
  if (context?.startsWith(uploadPrefix)) return { context: uploadedArchive(session, new URL(context), signal) };
  if (context) {
    const isGit = !/^https?:\/\//.test(context) || /\.git(#|$)/.test(context);
    if (isGit || registry?.download === undefined) {
      throw notImplemented(`build context ${context}: fetch it and give its directory; only archives are fetched here`);
    }
    return { context: await registry.download(context, signal) };
  }
  const directories = {
    ...(contextkey ? { context: contextkey } : {}),
    ...(dockerfilekey ? { dockerfile: dockerfilekey } : {}),
  };
  return sessionFiles(session, { dockerfile, directories, signal, trace });
}
