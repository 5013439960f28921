import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { discard, renderProgress } from '../progress/index.ts';

const flags = flagTable(`
      --include strings   Further packages to install, comma-separated
  -q, --quiet             Print nothing but the image's name
      --suite string      Release of the distribution, where the name does not say it
`);

/** `berth bootstrap`. */
export const command: Command = {
  usage: '[OPTIONS] NAME[:TAG]',
  short: 'Make a base image from signed distribution packages',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [name = ''] = args;
    const client = await connectClient(invocation);
    const suite = given.string('suite');
    const messages = client.images.bootstrap({ name, include: given.list('include'), ...(suite ? { suite } : {}) });
    const quiet = given.bool('quiet');
    await renderProgress(messages, quiet ? discard() : terminal.stdout);
    if (quiet) terminal.stdout.write(`${name}\n`);
  },
};
