import type { Readable } from 'node:stream';
import { BerthError, type Digest, invalid, isBerthError } from '#base';
import type { Builder, BuildRecipe, BuildRequest } from '#builder';
import { type BuildTrace, exitText } from '../stream/build-trace.ts';
import type { BuildOutput } from './build-output.ts';
import type { ClientSession } from './client-sessions.ts';
import { type FilesForClient, sendArchive, sendFiles } from './files-for-client.ts';
import { readDirectory, readIgnoreFile, readRecipe } from './session-files.ts';
import { agentsOf, loginOf, secretsOf } from './session-services.ts';

/** A build that BuildKit's clients watch. */
export interface TracedBuild {
  readonly builder: Builder;
  readonly trace: BuildTrace;
  /** Is asked for secrets, agents and logins. */
  readonly session: ClientSession | undefined;
  /** Files for the client are sent on its session; the names of an image are those of the request. */
  readonly output: BuildOutput;
  readonly request: Omit<BuildRequest, 'secrets' | 'agents' | 'login' | 'onEvent'>;
}

/** Builds and traces it, whichever API asked for it. Throws what the builder throws, in BuildKit's words. */
export async function tracedBuild({ builder, trace, session, output, request }: TracedBuild): Promise<Digest> {
  try {
    const { imageId } = await builder.build({
      ...request,
      ...(session && { secrets: secretsOf(session), agents: agentsOf(session), login: loginOf(session) }),
      onEvent: trace.onEvent,
    });
    if (output.files !== undefined) {
      if (session === undefined) throw invalid(`output of type ${output.files} needs a session to send the files on`);
      await giveFiles(trace, output.files, { builder, session, image: imageId, signal: request.signal });
    }
    return imageId;
  } catch (error) {
    throw asBuildKitSays(error);
  }
}

/** Gives the client the files that it wants instead of an image. */
async function giveFiles(
  trace: BuildTrace,
  files: 'local' | 'tar',
  given: Omit<FilesForClient, 'onBytes'>,
): Promise<void> {
  const [name, label] =
    files === 'local'
      ? ['exporting to client directory', 'copying files']
      : ['exporting to client tarball', 'sending tarball'];
  const vertex = trace.open(name, label);
  const send = files === 'local' ? sendFiles : sendArchive;
  await vertex.during(send({ ...given, onBytes: vertex.onBytes }));
}

/** Where a session offers the files of a build, and who hears of them. */
export interface SessionFilesOptions {
  /** Path of the Dockerfile in its directory. */
  readonly dockerfile: string;
  /** Names of the directories where they are not the usual ones. */
  readonly directories?: { readonly dockerfile?: string; readonly context?: string };
  readonly signal: AbortSignal;
  readonly trace: BuildTrace;
}

/** The Dockerfile of a session, and its context without what the ignore file leaves out. */
export async function sessionFiles(
  session: ClientSession,
  { dockerfile, directories = {}, signal, trace }: SessionFilesOptions,
): Promise<{ context: Readable; recipe: BuildRecipe }> {
  const inDockerfile = directories.dockerfile === undefined ? {} : { directory: directories.dockerfile };
  const inContext = directories.context === undefined ? {} : { directory: directories.context };
  const definition = trace.open(`[internal] load build definition from ${dockerfile}`, 'transferring dockerfile:');
  const recipe = await definition.during(
    readRecipe(session, { ...inDockerfile, dockerfile, signal, onBytes: definition.onBytes }),
  );
  const loading = trace.open('[internal] load .dockerignore', 'transferring context:');
  const ignore =
    recipe.ignore ??
    (await loading.during(readIgnoreFile(session, { ...inContext, signal, onBytes: loading.onBytes })));
  loading.close();
  const transfer = trace.open('[internal] load build context', 'transferring context:');
  const context = readDirectory(session, { ...inContext, ignore, signal, onBytes: transfer.onBytes });
  context.once('end', () => transfer.close());
  context.once('error', (error) => transfer.close(error));
  return { context, recipe: { ...recipe, ignore } };
}

/** Clients of BuildKit know a failed RUN by BuildKit's words. */
function asBuildKitSays(error: unknown): unknown {
  if (!isBerthError(error)) return error;
  const { command, code } = error.details;
  if (typeof command !== 'string' || typeof code !== 'number') return error;
  return new BerthError(error.kind, exitText({ command, code }), { cause: error });
}
