import { stopCommand } from '../stop-command.ts';

/** `berth restart`. */
export const command = stopCommand('Restart one or more containers', (client, name, options) =>
  client.containers.restart(name, options),
);
