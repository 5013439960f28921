import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { confirm } from '../for-each.ts';
import { connectClient } from '../host/index.ts';
import { pruneContainers, reclaimedLine } from '../prune.ts';

const flags = flagTable(`
      --filter filter   Only what matches a condition (e.g. "until=<timestamp>")
  -f, --force           Do not ask
`);

/** `berth container prune`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Remove all stopped containers',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    if (!given.bool('force'))
      await confirm(terminal, 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?');
    const client = await connectClient(invocation);
    const { text, reclaimed } = await pruneContainers(client, given.list('filter'));
    terminal.stdout.write(text + reclaimedLine(reclaimed));
  },
};
