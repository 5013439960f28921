import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { writeOutput } from '../output-file.ts';

/** `berth volume export`. */
export const command: Command = {
  usage: '[OPTIONS] VOLUME',
  short: 'Write all that is in a volume as a tar archive',
  flags: flagTable('  -o, --output string   Write to a file, instead of STDOUT'),
  args: exactly(1),
  async run(invocation) {
    const { flags, args, terminal } = invocation;
    const client = await connectClient(invocation);
    await writeOutput(terminal, flags.string('output'), () => client.volumes.export(args[0] ?? ''));
  },
};
