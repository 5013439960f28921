import type { Client } from '#client';
import { type Command, noArgs } from './command/index.ts';
import { flagTable } from './flags/index.ts';
import { confirm } from './for-each.ts';
import { connectClient } from './host/index.ts';
import { type PruneOutcome, reclaimedLine } from './prune.ts';

/** What sets one `prune` command apart from the others. */
export interface PruneCommandParts {
  readonly short: string;
  /** What `--all` removes besides; undefined where there is no such flag. */
  readonly all?: string;
  /** A condition for `--filter`, as an example. */
  readonly filter?: string;
  /** Objects that will go: "all stopped containers". */
  readonly victims: (all: boolean) => string;
  readonly prune: (client: Client, filters: readonly string[], all: boolean) => Promise<PruneOutcome>;
  /** False where the objects take no space worth telling. */
  readonly tellsSpace?: boolean;
}

/** A command that asks, removes what is unused and tells what that was. */
export function pruneCommand(parts: PruneCommandParts): Command {
  const filter = parts.filter ?? 'until=<timestamp>';
  return {
    usage: '[OPTIONS]',
    short: parts.short,
    flags: flagTable(`
${parts.all === undefined ? '' : `  -a, --all             ${parts.all}\n`}\
      --filter filter   Only what matches a condition (e.g. "${filter}")
  -f, --force           Do not ask
`),
    args: noArgs,
    async run(invocation) {
      const { flags: given, terminal } = invocation;
      const all = parts.all !== undefined && given.bool('all');
      if (!given.bool('force')) {
        const warning = `WARNING! This will remove ${parts.victims(all)}.`;
        await confirm(terminal, `${warning}\nAre you sure you want to continue?`);
      }
      const client = await connectClient(invocation);
      const { text, reclaimed } = await parts.prune(client, given.list('filter'), all);
      terminal.stdout.write(parts.tellsSpace === false ? text : text + reclaimedLine(reclaimed));
    },
  };
}
