import { invalid } from '#base';
import type { NetworkDriver } from './driver.ts';

/** The network `host`: sandboxes share the host's namespace. */
export function createHostDriver(): NetworkDriver {
  return plainDriver('host', 'host');
}

/** The network `none` (driver `null`): a namespace with loopback alone. */
export function createNoneDriver(): NetworkDriver {
  return plainDriver('null', 'namespace');
}

function plainDriver(name: string, shares: NetworkDriver['shares']): NetworkDriver {
  return {
    name,
    shares,
    addressed: false,
    bridged: false,
    single: true,
    hardwareAddresses: false,
    check(request) {
      if (request.ipam?.pools.length) throw invalid(`network driver ${name} takes no subnet`);
    },
    hostLinks: () => [],
    routesByDevice: () => false,
    async up() {},
    async down() {},
    async settle() {},
    async attach() {},
    async detach() {},
  };
}
