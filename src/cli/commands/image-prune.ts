import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { confirm } from '../for-each.ts';
import { connectClient } from '../host/index.ts';
import { pruneImages, reclaimedLine } from '../prune.ts';

const flags = flagTable(`
  -a, --all             All unused images, not just those without a name
      --filter filter   Only what matches a condition (e.g. "until=<timestamp>")
  -f, --force           Do not ask
`);

/** `berth image prune`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Remove unused images',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    if (!given.bool('force'))
      await confirm(
        terminal,
        `WARNING! This will remove all ${given.bool('all') ? 'images without at least one container associated to them' : 'dangling images'}.\nAre you sure you want to continue?`,
      );
    const client = await connectClient(invocation);
    const { text, reclaimed } = await pruneImages(client, given.list('filter'), given.bool('all'));
    terminal.stdout.write(text + reclaimedLine(reclaimed));
  },
};
