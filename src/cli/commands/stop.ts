import { stopCommand } from '../stop-command.ts';

/** `berth stop`. */
export const command = stopCommand('Stop one or more running containers', (client, name, options) =>
  client.containers.stop(name, options),
);
