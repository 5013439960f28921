import { type Command, exactly } from '../command/index.ts';
import { connectClient } from '../host/index.ts';

/** `berth volume rename`. */
export const command: Command = {
  usage: 'VOLUME NEW_NAME',
  short: 'Rename a volume',
  args: exactly(2),
  async run(invocation) {
    const [name = '', newName = ''] = invocation.args;
    const client = await connectClient(invocation);
    await client.volumes.rename(name, newName);
  },
};
