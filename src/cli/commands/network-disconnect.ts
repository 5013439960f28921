import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';

/** `berth network disconnect`. */
export const command: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  short: 'Disconnect a container from a network',
  flags: flagTable('  -f, --force   Disconnect whatever state the container is in'),
  args: exactly(2),
  async run(invocation) {
    const [network = '', container = ''] = invocation.args;
    const client = await connectClient(invocation);
    await client.networks.disconnect(network, container, invocation.flags.bool('force'));
  },
};
