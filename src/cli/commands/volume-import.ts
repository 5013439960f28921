import { createReadStream, existsSync } from 'node:fs';
import { invalid } from '#base';
import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
      --label list   Set a label on the volume, when it is new
`);

/** `berth volume import`. */
export const command: Command = {
  usage: '[OPTIONS] VOLUME file|-',
  short: 'Fill a new or an empty volume from a tar archive',
  flags,
  args: exactly(2),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [name = '', source = ''] = args;
    if (source !== '-' && !existsSync(source)) throw invalid(`open ${source}: no such file or directory`);
    const client = await connectClient(invocation);
    const tar = source === '-' ? terminal.stdin : createReadStream(source, { highWaterMark: 1 << 18 });
    const volume = await client.volumes.import(name, tar, given.list('label'));
    terminal.stdout.write(`${volume.Name}\n`);
  },
};
