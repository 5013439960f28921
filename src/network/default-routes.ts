import type { Links } from '#host';
import { gatewayEndpoint } from './endpoint-plan.ts';
import type { NetworkCatalog } from './network-catalog.ts';
import type { SandboxRecord } from './sandbox-records.ts';

/** What routes are set with. */
export interface RouteDependencies {
  readonly links: Links;
  readonly catalog: NetworkCatalog;
}

/** Gives a sandbox its default routes, one for each family at most; `replace` takes away those it has. */
export async function setDefaultRoutes(
  deps: RouteDependencies,
  record: SandboxRecord,
  { replace }: { replace: boolean },
): Promise<void> {
  if (record.netns === '') return;
  for (const family of [4, 6] as const) {
    const endpoint = gatewayEndpoint(record.endpoints, family);
    if (replace) await removeDefaultRoutes(deps.links, record.netns, family);
    const gateway = (family === 4 ? endpoint?.ipv4 : endpoint?.ipv6)?.gateway;
    const name = gateway === undefined ? deviceRoute(deps.catalog, record, family) : endpoint?.interfaceName;
    if (name === undefined) continue;
    const route = { op: 'add-route', name, family, ...(gateway === undefined ? {} : { gateway }) } as const;
    await deps.links.apply([route], record.netns);
  }
}

/** The interface that leads everywhere without a gateway, if there is one. */
function deviceRoute(catalog: NetworkCatalog, record: SandboxRecord, family: 4 | 6): string | undefined {
  return record.endpoints.find(({ endpoint }) => {
    if ((family === 4 ? endpoint.ipv4 : endpoint.ipv6) === undefined) return false;
    const network = catalog.get(endpoint.networkId);
    return !network.internal && catalog.driver(network.driver).routesByDevice(network);
  })?.endpoint.interfaceName;
}

async function removeDefaultRoutes(links: Links, netns: string, family: 4 | 6): Promise<void> {
  const destination = family === 4 ? '0.0.0.0/0' : '::/0';
  const routes = (await links.routes(netns)).filter((route) => route.destination === destination);
  if (routes.length === 0) return;
  const names = new Map((await links.list(netns)).map((link) => [link.index, link.name]));
  for (const route of routes) {
    const name = names.get(route.device);
    if (name !== undefined) await links.apply([{ op: 'delete-route', name, family }], netns);
  }
}
