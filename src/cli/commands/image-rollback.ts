import { between, type Command } from '../command/index.ts';
import { shortId } from '../format/index.ts';
import { connectClient } from '../host/index.ts';

/** `berth image rollback`. */
export const command: Command = {
  usage: 'NAME[:TAG] [VERSION|DIGEST]',
  short: 'Point a tag to what it pointed to before',
  args: between(1, 2),
  async run(invocation) {
    const [name = '', to] = invocation.args;
    const client = await connectClient(invocation);
    const { Name, ImageID } = await client.images.rollBack(name, to);
    invocation.terminal.stdout.write(`${Name} is now ${shortId(ImageID)}\n`);
  },
};
