import { invalid, newId, notImplemented } from '#base';
import {
  answering,
  buildIdKey,
  type Call,
  type GatewaySolve,
  gatewayMethods,
  graphOfSource,
  type Handler,
  sourceOfGraph,
} from '#buildkit';
import { type ControlBuild, type ControlBuilds, WantedImage } from './control-build.ts';
import { type BuildServices, buildFrontend } from './frontend-build.ts';
import { readFrontendOptions } from './frontend-options.ts';
import { workerOf } from './worker.ts';

/** What this engine can of BuildKit's gateway API, by the names of its capabilities (`frontend/gateway/pb/caps.go`). */
const capabilities = [
  'solve.base',
  'return',
  'returnmap',
  'proto.refarray',
  'importcaches',
  'frontend.caps',
  'frontend.inputs',
  'reference.output',
  'gateway.evaluate',
  'gateway.solve.evaluate',
];

/** The one front end: Dockerfiles. */
export const dockerfileFrontend = 'dockerfile.v0';

/** Graphs of one source that begins so stand for what a build under way wants; its id follows. */
const resultPrefix = 'berth-result://';

/** Answers the client's part of builds that began with `Control.Solve`. */
export function gatewayHandlers(services: BuildServices, builds: ControlBuilds): Handler[] {
  const buildOf = async ({ metadata, signal }: Call): Promise<ControlBuild> => {
    const [ref] = metadata[buildIdKey] ?? [];
    if (ref === undefined) throw invalid(`no ${buildIdKey} in the call: which build is it part of?`);
    return builds.get(ref, signal);
  };
  return [
    answering(gatewayMethods.ping, async (_question, call) => {
      await buildOf(call);
      const FrontendAPICaps = capabilities.map((ID) => ({ ID, Enabled: true }));
      return { FrontendAPICaps, LLBCaps: [], Workers: [await workerOf(services.ports)] };
    }),
    answering(gatewayMethods.solve, async (question, call) => {
      const build = await buildOf(call);
      const wanted = describe(question, { services, builds, build });
      const id = newId().slice(0, 25);
      build.wanted.set(id, wanted);
      if (question.Evaluate) await wanted.image();
      return { result: { ref: { id, def: graphOfSource(`${resultPrefix}${id}`) }, refs: null } };
    }),
    answering(gatewayMethods.evaluate, async ({ Ref }, call) => {
      await (await buildOf(call)).want(Ref).image();
      return {};
    }),
    answering(gatewayMethods.return, async (question, call) => {
      (await buildOf(call)).finish(question);
      return {};
    }),
  ];
}

interface Surroundings {
  readonly services: BuildServices;
  readonly builds: ControlBuilds;
  readonly build: ControlBuild;
}

/** Notes what shall be built, when the client wants to have it; throws now for what cannot be. */
function describe(question: GatewaySolve, { services, builds, build }: Surroundings): WantedImage {
  const { Frontend, FrontendOpt, FrontendInputs } = question;
  if (Frontend !== dockerfileFrontend) throw notADockerfile(Frontend);
  readFrontendOptions(FrontendOpt);
  const inputs = new Map<string, WantedImage>();
  for (const [name, graph] of Object.entries(FrontendInputs)) {
    const source = sourceOfGraph(graph);
    if (source === undefined || !source.startsWith(resultPrefix)) throw notADockerfile('');
    inputs.set(name, builds.wanted(source.slice(resultPrefix.length)));
  }
  return new WantedImage(() => buildFrontend(services, build, { options: FrontendOpt, inputs }));
}

/** The error for what is built without a Dockerfile. */
export function notADockerfile(frontend: string): Error {
  return notImplemented(
    frontend === ''
      ? 'this engine builds Dockerfiles, no graphs of LLB: give it a directory, an archive or another build'
      : `frontend ${frontend}: this engine builds Dockerfiles with its own front end (${dockerfileFrontend})`,
  );
}
