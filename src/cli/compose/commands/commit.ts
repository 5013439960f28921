import { between } from '../../command/index.ts';
import { commitContainer } from '../../commands/commit.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { pickContainer } from '../pick-container.ts';

const flags = flagTable(`
  -a, --author string    Author, such as "Ann Other <ann@example.org>"
  -c, --change list      Apply a Dockerfile instruction to the new image
      --index int        Number of the container, where the service has several
  -m, --message string   Message of the commit
  -p, --pause            Pause the container meanwhile (default true)
`);

/** `berth compose commit`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE [REPOSITORY[:TAG]]',
  short: "Create an image from the changes of a service's container",
  flags,
  args: between(1, 2),
  async run(invocation) {
    const [service = '', name] = invocation.args;
    const { container, context } = await pickContainer(invocation, service, { running: false });
    const event = { resource: container.name, text: `Commit ${container.name}` };
    context.reporter.status({ ...event, status: 'Committing', kind: 'working' });
    const id = await commitContainer(context.client, container.id, { flags: invocation.flags, reference: name });
    context.reporter.status({ ...event, status: `Committed as ${id}`, kind: 'done' });
    context.reporter.close();
  },
};
