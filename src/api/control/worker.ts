import { isIPv4 } from 'node:net';
import { isBerthError } from '#base';
import { answering, controlMethods, type EngineVersion, type Handler, type WorkerRecord } from '#buildkit';
import type { ApiPorts } from '../ports.ts';

/** What a worker is described from. */
type WorkerPorts = Pick<ApiPorts, 'system' | 'networks'>;

/** Clients read here what `host-gateway` of `--add-host` stands for. */
const hostGatewayLabel = 'org.mobyproject.buildkit.worker.moby.host-gateway-ip';

/** The one thing here that builds: the engine. */
export async function workerOf({ system, networks }: WorkerPorts): Promise<WorkerRecord> {
  const facts = await system.facts();
  const gateway = await hostGateway(networks);
  return {
    ID: facts.id,
    Labels: gateway === undefined ? {} : { [hostGatewayLabel]: gateway },
    platforms: [{ Architecture: facts.architecture, OS: 'linux', Variant: '' }],
    BuildkitVersion: await versionOf(system),
  };
}

async function versionOf(system: ApiPorts['system']): Promise<EngineVersion> {
  const { version, gitCommit } = await system.facts();
  return { package: 'berth', version: `v${version}`, revision: gitCommit };
}

/** The host's address on the default bridge; undefined on an engine that has none. */
async function hostGateway(networks: ApiPorts['networks']): Promise<string | undefined> {
  try {
    const { pools } = (await networks.get('bridge')).ipam;
    return pools.map(({ gateway = '' }) => gateway.replace(/\/.*$/, '')).find((gateway) => isIPv4(gateway));
  } catch (error) {
    if (isBerthError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Answers what builds here. */
export function workerHandlers(ports: WorkerPorts): Handler[] {
  return [
    answering(controlMethods.listWorkers, async () => ({ record: [await workerOf(ports)] })),
    answering(controlMethods.info, async () => ({ buildkitVersion: await versionOf(ports.system) })),
  ];
}
