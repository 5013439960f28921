import { exactly } from '../../command/index.ts';
import { command as attach } from '../../commands/attach.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { pickContainer } from '../pick-container.ts';
import { passedFlags, useDockerCommand } from '../use-docker-command.ts';

const flags = flagTable(`
      --detach-keys string   Keys that detach from the container
      --index int            Number of the container, where the service has several
      --no-stdin             Do not attach STDIN
      --sig-proxy            Pass signals on to the process (default true)
`);

/** `berth compose attach`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE',
  short: "Join the streams of a service's running container",
  flags,
  args: exactly(1),
  async run(invocation) {
    const { container } = await pickContainer(invocation, invocation.args[0] ?? '', { running: true });
    const words = passedFlags(invocation, ['detach-keys', 'no-stdin', 'sig-proxy']);
    return useDockerCommand(invocation, attach, [...words, container.id]);
  },
};
