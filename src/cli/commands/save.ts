import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { writeOutput } from '../output-file.ts';

const flags = flagTable(`
  -o, --output string     Write to a file, instead of STDOUT
      --platform string   Save only this platform, where an image has several
`);

/** `berth save`. */
export const command: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Save images to a tar archive (STDOUT by default)',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    const platform = given.string('platform');
    await writeOutput(terminal, given.string('output'), () => client.images.save(args, platform ? { platform } : {}));
  },
};
