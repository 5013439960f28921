import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { confirm } from '../for-each.ts';
import { connectClient } from '../host/index.ts';
import { pruneBuildCache, reclaimedLine } from '../prune.ts';

const flags = flagTable(`
  -a, --all             All unused build cache, not just what dangles
      --filter filter   Only what matches a condition (e.g. "until=<timestamp>")
  -f, --force           Do not ask
`);

/** `berth builder prune`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Remove build cache',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    if (!given.bool('force'))
      await confirm(
        terminal,
        `WARNING! This will remove all ${given.bool('all') ? '' : 'dangling '}build cache.\nAre you sure you want to continue?`,
      );
    const client = await connectClient(invocation);
    const { text, reclaimed } = await pruneBuildCache(client, given.list('filter'), given.bool('all'));
    terminal.stdout.write(text + reclaimedLine(reclaimed));
  },
};
