import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { confirm } from '../for-each.ts';
import { connectClient } from '../host/index.ts';
import { pruneNetworks } from '../prune.ts';

const flags = flagTable(`
      --filter filter   Only what matches a condition (e.g. "until=<timestamp>")
  -f, --force           Do not ask
`);

/** `berth network prune`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Remove all unused networks',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    if (!given.bool('force'))
      await confirm(
        terminal,
        'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?',
      );
    const client = await connectClient(invocation);
    const { text } = await pruneNetworks(client, given.list('filter'));
    terminal.stdout.write(text);
  },
};
