import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { inspectObjects } from '../inspect-objects.ts';

const flags = flagTable(`
  -f, --format string   'json', or a Go TEMPLATE
`);

/** `berth volume inspect`. */
export const command: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  short: 'Display details of one or more volumes',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    return inspectObjects(terminal, args, {
      format: given.string('format'),
      fetch: (name) => client.volumes.inspectText(name),
    });
  },
};
