import { readFile } from 'node:fs/promises';
import { invalid, shortId } from '#base';
import type { BuildNetworks } from '#builder';
import type { Sandboxes } from '#network';

/** Gives RUN steps a sandbox of the network room, like a container's but without names and ports. */
export function createBuildNetworks(sandboxes: Pick<Sandboxes, 'open' | 'close'>): BuildNetworks {
  return {
    async open(mode, { stepId, extraHosts }) {
      if (mode === 'host') return hostNetwork();
      const network = mode === '' || mode === 'default' ? 'bridge' : mode;
      if (network.startsWith('container:'))
        throw invalid(`build network ${mode}: want bridge, none, host or a network`);
      const sandbox = await sandboxes.open({
        owner: { id: stepId, name: `build-${shortId(stepId)}`, hostname: shortId(stepId) },
        endpoints: [{ network }],
        ports: [],
        dns: { servers: [], search: [], options: [] },
        extraHosts,
      });
      const { netnsPath, hostsFile, resolvConf } = sandbox;
      return { netnsPath, hostsFile, resolvConf, close: () => sandboxes.close(stepId) };
    },
  };
}

async function hostNetwork() {
  const [hostsFile, resolvConf] = await Promise.all([
    readFile('/etc/hosts', 'utf8').catch(() => ''),
    readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
  ]);
  return { netnsPath: undefined, hostsFile, resolvConf, close: async () => {} };
}
