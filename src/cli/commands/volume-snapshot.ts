import { between, type Command } from '../command/index.ts';
import { connectClient } from '../host/index.ts';

/** `berth volume snapshot`: a clone that says of what and is named after the time, unless told otherwise. */
export const command: Command = {
  usage: 'VOLUME [NAME]',
  short: 'Keep the data of a volume as it is now',
  args: between(1, 2),
  async run(invocation) {
    const { args, terminal } = invocation;
    const client = await connectClient(invocation);
    const [source = '', name = `${source}-${new Date().toISOString().replace(/[-:]|\..*$/g, '')}`] = args;
    const volume = await client.volumes.clone(source, { Name: name, Labels: { 'berth.snapshot-of': source } });
    terminal.stdout.write(`${volume.Name}\n`);
  },
};
