import { invalid } from '#base';
import { between, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { readImageName } from '../progress/index.ts';

const flags = flagTable(`
  -a, --author string    Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
  -c, --change list      Apply a Dockerfile instruction to the new image
  -m, --message string   Message of the commit
  -p, --pause            Pause the container meanwhile (default true)
`);

/** `berth commit`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  short: "Create a new image from a container's changes",
  flags,
  args: between(1, 2),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [container = '', reference] = args;
    const name = reference === undefined ? undefined : readImageName(reference);
    if (name?.digest !== undefined) throw invalid('cannot commit to digest reference');
    const client = await connectClient(invocation);
    const { Id: id } = await client.containers.commit(container, {
      ...(name === undefined ? {} : { repo: name.familiar, tag: name.tag ?? 'latest' }),
      comment: given.string('message'),
      author: given.string('author'),
      pause: given.changed('pause') ? given.bool('pause') : true,
      changes: given.list('change'),
    });
    terminal.stdout.write(`${id}\n`);
  },
};
