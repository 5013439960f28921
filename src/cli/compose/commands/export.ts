import { exactly } from '../../command/index.ts';
import { command as exportCommand } from '../../commands/export.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { pickContainer } from '../pick-container.ts';
import { passedFlags, useDockerCommand } from '../use-docker-command.ts';

const flags = flagTable(`
      --index int       Number of the container, where the service has several
  -o, --output string   Write to a file, instead of STDOUT
`);

/** `berth compose export`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE',
  short: "Write the filesystem of a service's container as a tar archive",
  flags,
  args: exactly(1),
  async run(invocation) {
    const { container, context } = await pickContainer(invocation, invocation.args[0] ?? '', { running: false });
    const text = `export ${container.name} to ${invocation.flags.string('output')}`;
    context.reporter.status({ resource: container.name, text, status: 'Exporting', kind: 'working' });
    return useDockerCommand(invocation, exportCommand, [...passedFlags(invocation, ['output']), container.id]);
  },
};
