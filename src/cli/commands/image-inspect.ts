import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { inspectObjects } from '../inspect-objects.ts';

const flags = flagTable(`
  -f, --format string   'json', or a Go TEMPLATE
      --platform string   Platform of the image, where it has several
`);

/** `berth image inspect`. */
export const command: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Display details of one or more images',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    return inspectObjects(terminal, args, {
      format: given.string('format'),
      fetch: (name) =>
        client.images.inspectText(name, given.changed('platform') ? { platform: given.string('platform') } : {}),
    });
  },
};
