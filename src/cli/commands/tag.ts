import { invalid } from '#base';
import { type Command, exactly } from '../command/index.ts';
import { connectClient } from '../host/index.ts';
import { readImageName } from '../progress/index.ts';

/** `berth tag`. */
export const command: Command = {
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  short: 'Give an image another name',
  args: exactly(2),
  async run(invocation) {
    const [source = '', target = ''] = invocation.args;
    const name = readImageName(target);
    if (name.digest !== undefined) throw invalid('refusing to create a tag with a digest reference');
    const client = await connectClient(invocation);
    await client.images.tag(source, { repo: name.familiar, tag: name.tag ?? 'latest' });
  },
};
