import { notImplemented } from '#base';
import { answering, controlMethods, type Handler, streaming } from '#buildkit';
import { canonicalString, parseReference } from '#oci';
import { type ControlBuild, type ControlBuilds, WantedImage } from './control-build.ts';
import { checkCacheExports, outputOf } from './exporters.ts';
import { type BuildServices, buildFrontend } from './frontend-build.ts';
import { dockerfileFrontend, notADockerfile } from './gateway.ts';

/** Answers `Control.Solve` and `Control.Status`. */
export function solveHandlers(services: BuildServices, builds: ControlBuilds): Handler[] {
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
async function solve(services: BuildServices, build: ControlBuild): Promise<Record<string, string>> {
  const wanted = await wantedImage(services, build);
  if (wanted === undefined) return {};
  checkCacheExports(build.question);
  const output = outputOf(build.question);
  const imageId = await wanted.image();
  if (output.files !== undefined) return {};
  const names = output.names.map((name) => canonicalString(parseReference(name)));
  return {
    'containerimage.digest': imageId,
    'containerimage.config.digest': imageId,
    ...(names.length > 0 ? { 'image.name': names.join(',') } : {}),
  };
}

/** What shall be built: as the question says, or as its client said beside it. Undefined for nothing. */
async function wantedImage(services: BuildServices, build: ControlBuild): Promise<WantedImage | undefined> {
  const { Frontend, FrontendAttrs, Definition } = build.question;
  if (Frontend === dockerfileFrontend) {
    return new WantedImage(() => buildFrontend(services, build, { options: FrontendAttrs, inputs: new Map() }));
  }
  if (Frontend !== '' || (Definition?.def.length ?? 0) > 0) throw notADockerfile(Frontend);
  const { result, error } = await build.returned;
  // What went wrong there was told there; it is said once more, as the end of the build.
  if (error !== null) throw new Error(error.message);
  if (Object.keys(result?.refs?.refs ?? {}).length > 0) {
    throw notImplemented('a result of several platforms: this engine builds for one platform at a time');
  }
  const id = result?.ref?.id ?? '';
  return id === '' ? undefined : build.want(id);
}
