import { isBerthError, notFound } from '#base';
import type { Client } from '#client';
import { atLeast, type Command, ExitError } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { inspectObjects } from '../inspect-objects.ts';

const flags = flagTable(`
  -f, --format string   'json', or a Go TEMPLATE
  -s, --size            Show sizes of files, if the type is container
      --type string     Look only among objects of this type
`);

type Fetch = (client: Client, name: string, size: boolean) => Promise<string>;

/** What may be inspected, in the order of search. */
const kinds: Readonly<Record<string, Fetch>> = {
  container: (client, name, size) => client.containers.inspectText(name, { size }),
  image: (client, name) => client.images.inspectText(name),
  network: (client, name) => client.networks.inspectText(name),
  volume: (client, name) => client.volumes.inspectText(name),
};

async function search(client: Client, name: string, options: { size: boolean; type: string }): Promise<string> {
  for (const [kind, fetch] of Object.entries(kinds)) {
    if (options.type !== '' && options.type !== kind) continue;
    try {
      return await fetch(client, name, options.size);
    } catch (error) {
      const elsewhere = isBerthError(error, 'not-found') || isBerthError(error, 'invalid');
      if (options.type !== '' || !elsewhere) throw error;
    }
  }
  throw notFound(`Error: No such object: ${name}`);
}

/** `berth inspect`. */
export const command: Command = {
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  short: 'Return low-level information on objects',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const type = given.string('type');
    if (given.changed('type') && !Object.hasOwn(kinds, type)) {
      const message =
        type === ''
          ? 'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"'
          : `unknown type: ${JSON.stringify(type)}: must be one of ${Object.keys(kinds)
              .map((kind) => JSON.stringify(kind))
              .join(', ')}`;
      throw new ExitError(1, `${message}\n`);
    }
    const client = await connectClient(invocation);
    return inspectObjects(terminal, args, {
      format: given.string('format'),
      fetch: (name) => search(client, name, { size: given.bool('size'), type }),
    });
  },
};
