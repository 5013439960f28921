import { pruneNetworks } from '../prune.ts';
import { pruneCommand } from '../prune-command.ts';

/** `berth network prune`. */
export const command = pruneCommand({
  short: 'Remove all unused networks',
  victims: () => 'all custom networks not used by at least one container',
  prune: pruneNetworks,
  tellsSpace: false,
});
