import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { confirm } from '../for-each.ts';
import { connectClient } from '../host/index.ts';
import { pruneVolumes, reclaimedLine } from '../prune.ts';

const flags = flagTable(`
  -a, --all             All unused volumes, not just anonymous ones
      --filter filter   Only what matches a condition (e.g. "label=<label>")
  -f, --force           Do not ask
`);

/** `berth volume prune`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Remove unused local volumes',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    if (!given.bool('force'))
      await confirm(
        terminal,
        `WARNING! This will remove ${given.bool('all') ? 'all' : 'anonymous'} local volumes not used by at least one container.\nAre you sure you want to continue?`,
      );
    const client = await connectClient(invocation);
    const { text, reclaimed } = await pruneVolumes(client, given.list('filter'), given.bool('all'));
    terminal.stdout.write(text + reclaimedLine(reclaimed));
  },
};
