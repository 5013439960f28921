import { invalid } from '#base';
import type { Client } from '#client';
import { between, type Command } from '../command/index.ts';
import { type FlagValues, flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { readImageName } from '../progress/index.ts';

const flags = flagTable(`
  -a, --author string    Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
  -c, --change list      Apply a Dockerfile instruction to the new image
  -m, --message string   Message of the commit
  -p, --pause            Pause the container meanwhile (default true)
`);

/** Makes an image of a container with the flags of `commit`; returns its id. Throws `invalid` for a wrong name. */
export async function commitContainer(
  client: Client,
  container: string,
  options: { readonly flags: FlagValues; readonly reference: string | undefined },
): Promise<string> {
  const { flags: given, reference } = options;
  const name = reference === undefined ? undefined : readImageName(reference);
  if (name?.digest !== undefined) throw invalid('cannot commit to digest reference');
  const { Id: id } = await client.containers.commit(container, {
    ...(name === undefined ? {} : { repo: name.familiar, tag: name.tag ?? 'latest' }),
    comment: given.string('message'),
    author: given.string('author'),
    pause: given.changed('pause') ? given.bool('pause') : true,
    changes: given.list('change'),
  });
  return id;
}

/** `berth commit`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  short: "Create a new image from a container's changes",
  flags,
  args: between(1, 2),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [container = '', reference] = args;
    const id = await commitContainer(await connectClient(invocation), container, { flags: given, reference });
    terminal.stdout.write(`${id}\n`);
  },
};
