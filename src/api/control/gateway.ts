import { invalid, newId, notImplemented } from '#base';
import { answering, buildIdKey, type Call, gatewayMethods, type Handler } from '#buildkit';
import type { ApiPorts } from '../ports.ts';
import type { ControlBuild, ControlBuilds } from './control-build.ts';
import { readFrontendOptions } from './frontend-options.ts';
import { workerOf } from './worker.ts';

/** What this engine can of BuildKit's gateway API, by the names of its capabilities. */
const capabilities = ['solve.base', 'return', 'returnmap', 'proto.refarray', 'importcaches', 'frontend.caps'];

/** The one front end: Dockerfiles. */
export const dockerfileFrontend = 'dockerfile.v0';

/** Answers the client's part of builds that began with `Control.Solve`. */
export function gatewayHandlers(ports: ApiPorts, builds: ControlBuilds): Handler[] {
  const buildOf = ({ metadata, signal }: Call): Promise<ControlBuild> => {
    const [ref] = metadata[buildIdKey] ?? [];
    if (ref === undefined) throw invalid(`no ${buildIdKey} in the call: which build is it part of?`);
    return builds.get(ref, signal);
  };
  return [
    answering(gatewayMethods.ping, async (_question, call) => {
      await buildOf(call);
      const FrontendAPICaps = capabilities.map((ID) => ({ ID, Enabled: true }));
      return { FrontendAPICaps, LLBCaps: [], Workers: [await workerOf(ports)] };
    }),
    answering(gatewayMethods.solve, async (question, call) => {
      const build = await buildOf(call);
      if (question.Frontend !== dockerfileFrontend) throw notADockerfile(question.Frontend);
      // What cannot be done is said now; the rest is done when the client wants to have it.
      readFrontendOptions(question.FrontendOpt);
      const id = newId().slice(0, 25);
      build.wanted.set(id, question);
      return { result: { ref: { id, def: null }, refs: null } };
    }),
    answering(gatewayMethods.return, async (question, call) => {
      (await buildOf(call)).finish(question);
      return {};
    }),
  ];
}

/** The error for what is built without a Dockerfile. */
export function notADockerfile(frontend: string): Error {
  return notImplemented(
    frontend === ''
      ? 'this engine builds Dockerfiles, no graphs of LLB: give it a directory, or an archive by POST /build'
      : `frontend ${frontend}: this engine builds Dockerfiles with its own front end (${dockerfileFrontend})`,
  );
}
