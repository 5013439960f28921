import type { IpamConfig } from '#api-types';
import { invalid } from '#base';
import { type Command, exactly } from '../command/index.ts';
import { type FlagValues, flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { keyValueMap } from '../run/index.ts';
import { contains, readCidr } from '../run/subnets.ts';

const flags = flagTable(`
      --attachable           Let containers be attached by hand
      --aux-address map      Addresses of the network that others use (default map[])
      --config-from string   Network to copy the configuration from
      --config-only          Make a configuration, not a network
  -d, --driver string        Network driver (default "bridge")
      --gateway strings      IPv4 or IPv6 gateway of the subnet
      --ingress              Make a routing-mesh network of a swarm
      --internal             Cut the network off from the outside
      --ip-range strings     Give addresses out of this part of the subnet
      --ipam-driver string   Address management driver (default "default")
      --ipam-opt map         Options of the address management driver (default map[])
      --ipv4                 Give IPv4 addresses (default true)
      --ipv6                 Give IPv6 addresses
      --label list           Set a label on the network
  -o, --opt map              Options of the driver (default map[])
      --scope string         Scope of the network
      --subnet strings       Subnet in CIDR form
`);

/** Brings subnets, ranges, gateways and addresses together. Throws `invalid` with Docker's texts. */
function ipamConfig(given: FlagValues): IpamConfig[] {
  const configs = new Map<string, IpamConfig>();
  for (const subnet of given.list('subnet')) {
    for (const other of configs.keys()) {
      if (contains(other, readCidr(subnet).address) || contains(subnet, readCidr(other).address)) {
        throw invalid('multiple overlapping subnet configuration is not supported');
      }
    }
    configs.set(subnet, { Subnet: subnet, AuxiliaryAddresses: {} });
  }
  const find = (what: string, address: string): IpamConfig => {
    for (const [subnet, config] of configs) if (contains(subnet, address)) return config;
    throw invalid(`no matching subnet for ${what} ${address}`);
  };
  for (const range of given.list('ip-range')) {
    const config = find('range', readCidr(range).address);
    if (config.IPRange)
      throw invalid(
        `cannot configure multiple ranges (${range}, ${config.IPRange}) on the same subnet (${config.Subnet})`,
      );
    config.IPRange = range;
  }
  for (const gateway of given.list('gateway')) {
    const config = find('gateway', gateway);
    if (config.Gateway)
      throw invalid(
        `cannot configure multiple gateways (${gateway}, ${config.Gateway}) for the same subnet (${config.Subnet})`,
      );
    config.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(keyValueMap(given.list('aux-address')))) {
    const config = find('aux-address', address);
    config.AuxiliaryAddresses = { ...config.AuxiliaryAddresses, [name]: address };
  }
  return [...configs.values()];
}

/** `berth network create`. */
export const command: Command = {
  usage: '[OPTIONS] NETWORK',
  short: 'Create a network',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const configFrom = given.string('config-from');
    const asked = (name: string) => (given.changed(name) ? given.bool(name) : undefined);
    const [ipv4, ipv6] = [asked('ipv4'), asked('ipv6')];
    const config = ipamConfig(given);
    const client = await connectClient(invocation);
    const answer = await client.networks.create({
      Name: args[0] ?? '',
      Driver: given.string('driver', 'bridge'),
      Scope: given.string('scope'),
      ...(ipv4 === undefined ? {} : { EnableIPv4: ipv4 }),
      ...(ipv6 === undefined ? {} : { EnableIPv6: ipv6 }),
      IPAM: {
        Driver: given.string('ipam-driver', 'default'),
        Options: keyValueMap(given.list('ipam-opt')),
        Config: config,
      },
      Internal: given.bool('internal'),
      Attachable: given.bool('attachable'),
      Ingress: given.bool('ingress'),
      ConfigOnly: given.bool('config-only'),
      ConfigFrom: configFrom === '' ? null : { Network: configFrom },
      Options: keyValueMap(given.list('opt')),
      Labels: keyValueMap(given.list('label')),
    });
    if (answer.Warning) terminal.stderr.write(`WARNING: ${answer.Warning}\n`);
    terminal.stdout.write(`${answer.Id}\n`);
  },
};
