import { pruneContainers } from '../prune.ts';
import { pruneCommand } from '../prune-command.ts';

/** `berth container prune`. */
export const command = pruneCommand({
  short: 'Remove all stopped containers',
  victims: () => 'all stopped containers',
  prune: pruneContainers,
});
