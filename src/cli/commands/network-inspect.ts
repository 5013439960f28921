import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { inspectObjects } from '../inspect-objects.ts';

const flags = flagTable(`
  -f, --format string   'json', or a Go TEMPLATE
  -v, --verbose         Say more for diagnostics
`);

/** `berth network inspect`. */
export const command: Command = {
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  short: 'Display details of one or more networks',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    return inspectObjects(terminal, args, {
      format: given.string('format'),
      fetch: (name) => client.networks.inspectText(name, { verbose: given.bool('verbose') }),
    });
  },
};
