import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { endpointSettings, keyValueMap } from '../run/index.ts';

const flags = flagTable(`
      --alias strings           Further names of the container on the network
      --driver-opt strings      Options of the network driver
      --gw-priority int         Highest wins as default gateway of the container
      --ip string               IPv4 address (e.g., "172.30.100.104")
      --ip6 string              IPv6 address (e.g., "2001:db8::33")
      --link list               Add a link to another container
      --link-local-ip strings   Link-local addresses of the container
`);

/** `berth network connect`. */
export const command: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  short: 'Connect a container to a network',
  flags,
  args: exactly(2),
  async run(invocation) {
    const { flags: given, args } = invocation;
    const [network = '', container = ''] = args;
    const client = await connectClient(invocation);
    const settings = endpointSettings({
      target: network,
      aliases: given.list('alias'),
      links: given.list('link'),
      ipv4: given.string('ip'),
      ipv6: given.string('ip6'),
      linkLocal: given.list('link-local-ip'),
      mac: '',
      driverOpts: keyValueMap(given.list('driver-opt')),
      gwPriority: given.number('gw-priority'),
    });
    await client.networks.connect(network, container, settings);
  },
};
