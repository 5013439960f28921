import { pruneImages } from '../prune.ts';
import { pruneCommand } from '../prune-command.ts';

/** `berth image prune`. */
export const command = pruneCommand({
  short: 'Remove unused images',
  all: 'All unused images, not just those without a name',
  victims: (all) => `all ${all ? 'images without at least one container associated to them' : 'dangling images'}`,
  prune: pruneImages,
});
