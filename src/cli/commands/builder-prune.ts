import { pruneBuildCache } from '../prune.ts';
import { pruneCommand } from '../prune-command.ts';

/** `berth builder prune`. */
export const command = pruneCommand({
  short: 'Remove build cache',
  all: 'All unused build cache, not just what dangles',
  victims: (all) => `all ${all ? '' : 'dangling '}build cache`,
  prune: pruneBuildCache,
});
