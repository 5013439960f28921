import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { keyValueMap } from '../run/index.ts';

const flags = flagTable(`
      --label list   Set a label on the new volume
`);

/** `berth volume clone`. */
export const command: Command = {
  usage: '[OPTIONS] SOURCE NAME',
  short: 'Make a volume with the data of another',
  flags,
  args: exactly(2),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    const [source = '', name = ''] = args;
    const volume = await client.volumes.clone(source, { Name: name, Labels: keyValueMap(given.list('label')) });
    terminal.stdout.write(`${volume.Name}\n`);
  },
};
