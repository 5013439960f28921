import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { writeOutput } from '../output-file.ts';

/** `berth export`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER',
  short: "Write a container's filesystem as a tar archive",
  flags: flagTable('  -o, --output string   Write to a file, instead of STDOUT'),
  args: exactly(1),
  async run(invocation) {
    const { flags, args, terminal } = invocation;
    const client = await connectClient(invocation);
    await writeOutput(terminal, flags.string('output'), () => client.containers.export(args[0] ?? ''));
  },
};
