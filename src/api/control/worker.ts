import { answering, controlMethods, type Handler, type WorkerRecord } from '#buildkit';
import type { ApiPorts } from '../ports.ts';

/** The one thing here that builds: the engine. */
export async function workerOf({ system }: Pick<ApiPorts, 'system'>): Promise<WorkerRecord> {
  const { id, architecture, version, gitCommit } = await system.facts();
  return {
    ID: id,
    Labels: {},
    platforms: [{ Architecture: architecture, OS: 'linux', Variant: '' }],
    BuildkitVersion: { package: 'berth', version: `v${version}`, revision: gitCommit },
  };
}

/** Answers what builds here. */
export function workerHandlers(ports: Pick<ApiPorts, 'system'>): Handler[] {
  return [
    answering(controlMethods.listWorkers, async () => ({ record: [await workerOf(ports)] })),
    answering(controlMethods.info, async () => ({ buildkitVersion: (await workerOf(ports)).BuildkitVersion })),
  ];
}
