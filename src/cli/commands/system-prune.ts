import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { confirm } from '../for-each.ts';
import { connectClient } from '../host/index.ts';
import { pruneBuildCache, pruneContainers, pruneImages, pruneNetworks, pruneVolumes, reclaimedLine } from '../prune.ts';

const flags = flagTable(`
  -a, --all             All unused images, not just those without a name
      --filter filter   Only what matches a condition (e.g. "label=<key>=<value>")
  -f, --force           Do not ask
      --volumes         Anonymous volumes too
`);

/** `berth system prune`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Remove unused data',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    const [all, volumes, filters] = [given.bool('all'), given.bool('volumes'), given.list('filter')];
    const victims = [
      'all stopped containers',
      'all networks not used by at least one container',
      ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
      all ? 'all images without at least one container associated to them' : 'all dangling images',
      all ? 'all build cache' : 'unused build cache',
    ];
    const list = victims.map((line) => `  - ${line}\n`).join('');
    if (!given.bool('force'))
      await confirm(terminal, `WARNING! This will remove:\n${list}\nAre you sure you want to continue?`);
    const client = await connectClient(invocation);
    const prunes = [
      () => pruneContainers(client, filters),
      () => pruneNetworks(client, filters),
      ...(volumes ? [() => pruneVolumes(client, filters, false)] : []),
      () => pruneImages(client, filters, all),
      () => pruneBuildCache(client, filters, all),
    ];
    let total = 0;
    for (const prune of prunes) {
      const { text, reclaimed } = await prune();
      total += reclaimed;
      terminal.stdout.write(text);
    }
    terminal.stdout.write(reclaimedLine(total));
  },
};
