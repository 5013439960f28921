import { invalid, notFound } from '#base';
import { containersOfServices, findContainer, type ObservedContainer, observeContainers } from '#compose';
import { exactly } from '../../command/index.ts';
import { command as cp } from '../../commands/cp.ts';
import { splitArgument } from '../../copy/split-argument.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { KeptInput } from '../kept-input.ts';
import { openNamed } from '../open-project.ts';
import { passedFlags, useDockerCommand } from '../use-docker-command.ts';

const flags = flagTable(`
      --all           Also containers that run commands made their own
  -a, --archive       Keep owners (uid and gid)
  -L, --follow-link   Follow a symbolic link in SRC_PATH
      --index int     Number of the container, where the service has several
`);

/** `berth compose cp`: from one container of a service, to all of them. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-',
  short: "Copy files between a service's container and this machine",
  flags,
  args: exactly(2),
  async run(invocation) {
    const [source = '', target = ''] = invocation.args;
    const from = splitArgument(source);
    const to = splitArgument(target);
    if (from.container !== '' && to.container !== '') throw invalid('copying between services is not supported');
    const service = from.container || to.container;
    if (service === '') throw invalid('unknown copy direction');
    const { context } = await openNamed(invocation);
    const containers = await observeContainers(context.client, context.projectName);
    const index = invocation.flags.number('index');
    let targets: ObservedContainer[] = [];
    if (from.container === '' && index === 0) {
      targets = containersOfServices(containers, [service], { oneOff: invocation.flags.bool('all') });
    }
    if (targets.length === 0) {
      if (containersOfServices(containers, [service]).length === 0) {
        throw notFound(`no container found for service ${JSON.stringify(service)}`);
      }
      targets = [findContainer(containers, service, { index, running: false })];
    }
    const words = passedFlags(invocation, ['archive', 'follow-link']);
    await using input =
      source === '-' && targets.length > 1 ? await KeptInput.of(invocation.terminal.stdin) : undefined;
    for (const { id, name } of targets) {
      const pairOf = (container: string): [string, string] =>
        from.container === '' ? [source, `${container}:${to.path}`] : [`${container}:${from.path}`, target];
      const [what, where] = pairOf(name);
      const event = { resource: name, text: `copy ${what} to ${where}` };
      context.reporter.status({ ...event, status: 'Copying', kind: 'working' });
      const { terminal } = invocation;
      const given =
        input === undefined ? invocation : { ...invocation, terminal: { ...terminal, stdin: input.read() } };
      await useDockerCommand(given, cp, ['--quiet', ...words, ...pairOf(id)]);
      context.reporter.status({ ...event, status: 'Copied', kind: 'done' });
    }
    context.reporter.close();
  },
};
