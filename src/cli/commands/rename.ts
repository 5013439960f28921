import { type Command, ExitError, exactly } from '../command/index.ts';
import { connectClient } from '../host/index.ts';

/** `berth rename`. */
export const command: Command = {
  usage: 'CONTAINER NEW_NAME',
  short: 'Rename a container',
  args: exactly(2),
  async run(invocation) {
    const [from = '', to = ''] = invocation.args.map((word) => word.trim());
    if (from === '' || to === '') throw new ExitError(1, 'Error: Neither old nor new names may be empty\n');
    const client = await connectClient(invocation);
    await client.containers.rename(from, to);
  },
};
