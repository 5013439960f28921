import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { NetworkCreateResponse, NetworksPruneReport } from '#api-types';
import { invalid, matchesPattern } from '#base';
import { type IpamPool, isCustom, isUnused, type Network, type NetworkRequest, pruneNetworks } from '#network';
import { decodeEndpoint, endpointSchema } from '../decode/endpoint.ts';
import { bool, goObject, stringMap, text } from '../decode/go-json.ts';
import { encodeNetwork } from '../encode/network.ts';
import type { ApiPorts } from '../ports.ts';
import { booleanFilter, type Filters, labelFiltersMatch } from '../request/filters.ts';
import { readJson } from '../request/json-body.ts';
import { Query } from '../request/query.ts';
import { untilFilter } from '../request/until.ts';
import { type ContainerParams, noContent } from './containers/lifecycle.ts';

const poolSchema = goObject({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: stringMap });
const createSchema = goObject({
  Name: text,
  Driver: text,
  Scope: text,
  Internal: bool,
  Attachable: bool,
  Ingress: bool,
  ConfigOnly: bool,
  ConfigFrom: goObject({ Network: text }).optional(),
  IPAM: goObject({ Driver: text, Options: stringMap, Config: z.array(poolSchema).optional() }).optional(),
  EnableIPv4: bool,
  EnableIPv6: bool,
  Options: stringMap,
  Labels: stringMap,
});
const connectSchema = goObject({ Container: text, EndpointConfig: endpointSchema.optional() });
const disconnectSchema = goObject({ Container: text, Force: bool });

const listFilters = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];

/** All of /networks. */
export function registerNetworks(app: FastifyInstance, { networks, containers, events }: ApiPorts): void {
  const list = async (query: Query) => {
    const filters = query.filters(listFilters);
    const dangling = danglingFilter(filters);
    const found = (await networks.list()).filter((network) => matches(network, filters));
    if (dangling === undefined) return found.map((network) => encodeNetwork(network));
    const unused = await Promise.all(found.map((network) => isUnused(networks, network)));
    return found.filter((_, index) => unused[index] === dangling).map((network) => encodeNetwork(network));
  };
  app.get('/networks', (request) => list(new Query(request)));
  app.get('/networks/', (request) => list(new Query(request)));

  app.get<ContainerParams>('/networks/:id', async (request) => {
    const network = await networks.get(request.params.id);
    return encodeNetwork(network, await networks.endpoints(network.id));
  });

  app.post('/networks/create', async (request, reply): Promise<NetworkCreateResponse> => {
    const network = await networks.create(decodeNetwork(await readJson(request, createSchema)));
    reply.code(201);
    return { Id: network.id, Warning: '' };
  });

  app.delete<ContainerParams>('/networks/:id', async (request, reply) => {
    await networks.remove(request.params.id);
    return noContent(reply);
  });

  app.post<ContainerParams>('/networks/:id/connect', async (request, reply) => {
    const wire = await readJson(request, connectSchema);
    if (!wire.Container) throw invalid('invalid name or ID supplied: ""');
    const network = await networks.get(request.params.id);
    const endpoint = decodeEndpoint(network.name, wire.EndpointConfig ?? null);
    await containers.connectNetwork(wire.Container, { ...endpoint, network: network.name });
    return reply.code(200).send();
  });

  app.post<ContainerParams>('/networks/:id/disconnect', async (request, reply) => {
    const wire = await readJson(request, disconnectSchema);
    if (!wire.Container) throw invalid('invalid name or ID supplied: ""');
    await containers.disconnectNetwork(wire.Container, request.params.id, wire.Force ?? false);
    return reply.code(200).send();
  });

  app.post('/networks/prune', async (request): Promise<NetworksPruneReport> => {
    const filters = new Query(request).filters(['label', 'label!', 'until']);
    const before = untilFilter(filters, Date.now());
    const deleted = await pruneNetworks(
      networks,
      (network) => labelFiltersMatch(network.labels, filters) && (before === undefined || network.createdAt < before),
    );
    events.publish('network', 'prune', '', { reclaimed: '0' });
    return { NetworksDeleted: deleted.length > 0 ? deleted : null };
  });
}

/** Docker words a bad value here in another way than for other objects. */
function danglingFilter(filters: Filters): boolean | undefined {
  try {
    return booleanFilter(filters, 'dangling');
  } catch (error) {
    const text = 'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")';
    throw invalid(text, { cause: error });
  }
}

function matches(network: Network, filters: Filters): boolean {
  const any = (key: string, test: (value: string) => boolean) => filters[key]?.some(test) ?? true;
  const kind = isCustom(network) ? 'custom' : 'builtin';
  for (const type of filters.type ?? []) {
    if (type !== 'builtin' && type !== 'custom') throw invalid(`invalid filter: 'type'='${type}'`);
  }
  return (
    any('driver', (value) => network.driver === value) &&
    any('id', (value) => matchesPattern(network.id, value)) &&
    any('name', (value) => matchesPattern(network.name, value)) &&
    any('scope', (value) => value === (network.scope ?? 'local')) &&
    any('type', (value) => value === kind) &&
    labelFiltersMatch(network.labels, filters)
  );
}

function decodeNetwork(wire: z.output<typeof createSchema>): NetworkRequest {
  const { Name: name } = wire;
  if (!name) throw invalid('invalid name: name is empty');
  if (wire.IPAM?.Driver === 'null' && (wire.Driver || 'bridge') === 'bridge') throw invalid('ipv4 pool is empty');
  return {
    name,
    ...(wire.Driver ? { driver: wire.Driver } : {}),
    internal: wire.Internal ?? false,
    attachable: wire.Attachable ?? false,
    ...(wire.EnableIPv4 === undefined ? {} : { enableIPv4: wire.EnableIPv4 }),
    ...(wire.EnableIPv6 === undefined ? {} : { enableIPv6: wire.EnableIPv6 }),
    ...(wire.IPAM === undefined
      ? {}
      : {
          ipam: {
            ...(wire.IPAM.Driver ? { driver: wire.IPAM.Driver } : {}),
            options: wire.IPAM.Options ?? {},
            pools: (wire.IPAM.Config ?? []).map(decodePool),
          },
        }),
    options: wire.Options ?? {},
    labels: wire.Labels ?? {},
    ingress: wire.Ingress ?? false,
    configOnly: wire.ConfigOnly ?? false,
    ...(wire.Scope ? { scope: wire.Scope } : {}),
    ...(wire.ConfigFrom?.Network ? { configFrom: wire.ConfigFrom.Network } : {}),
  };
}

function decodePool(wire: z.output<typeof poolSchema>): Partial<IpamPool> {
  return {
    ...(wire.Subnet ? { subnet: wire.Subnet } : {}),
    ...(wire.IPRange ? { range: wire.IPRange } : {}),
    ...(wire.Gateway ? { gateway: wire.Gateway } : {}),
    ...(wire.AuxiliaryAddresses ? { auxAddresses: wire.AuxiliaryAddresses } : {}),
  };
}
