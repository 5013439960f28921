import { invalid } from '#base';
import { atMost, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { keyValueMap } from '../run/index.ts';

const flags = flagTable(`
  -d, --driver string   Volume driver (default "local")
      --label list      Set a label on the volume
      --name string     !
  -o, --opt map         Options of the driver (default map[])
`);

/** `berth volume create`. */
export const command: Command = {
  usage: '[OPTIONS] [VOLUME]',
  short: 'Create a volume',
  flags,
  args: atMost(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    if (args.length > 0 && given.changed('name'))
      throw invalid('conflicting options: cannot specify a volume-name through both --name and as a positional arg');
    const client = await connectClient(invocation);
    const volume = await client.volumes.create({
      Name: args[0] ?? given.string('name'),
      Driver: given.string('driver', 'local'),
      DriverOpts: keyValueMap(given.list('opt')),
      Labels: keyValueMap(given.list('label')),
    });
    terminal.stdout.write(`${volume.Name}\n`);
  },
};
