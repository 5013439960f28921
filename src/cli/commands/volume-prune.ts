import { pruneVolumes } from '../prune.ts';
import { pruneCommand } from '../prune-command.ts';

/** `berth volume prune`. */
export const command = pruneCommand({
  short: 'Remove unused local volumes',
  all: 'All unused volumes, not just anonymous ones',
  filter: 'label=<label>',
  victims: (all) => `${all ? 'all' : 'anonymous'} local volumes not used by at least one container`,
  prune: pruneVolumes,
});
