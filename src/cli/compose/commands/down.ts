import { invalid } from '#base';
import { down } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { isTrue } from '../is-true.ts';
import { openNamed } from '../open-project.ts';
import { runPlan, timeoutFlag } from '../plan-command.ts';

const flags = flagTable(`
      --remove-orphans   Remove containers of services that the file does not have
      --rmi string       Remove images of services: "local" removes only those without a name of their own ("local"|"all")
  -t, --timeout int      Seconds until a container that is stopped is killed
  -v, --volumes          Remove the named volumes of the file and the anonymous volumes of containers
`);

/** `berth compose down`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICES]',
  short: 'Stop and remove containers and networks',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const images = given.string('rmi') || 'none';
    if (images !== 'none' && images !== 'all' && images !== 'local') {
      throw invalid(`invalid value for --rmi: ${JSON.stringify(images)}`);
    }
    const opened = await openNamed(invocation, args);
    const orphans = given.bool('remove-orphans') || isTrue(terminal.env.COMPOSE_REMOVE_ORPHANS);
    await runPlan(invocation, opened, (context) =>
      down(context, {
        services: args,
        removeOrphans: orphans,
        volumes: given.bool('volumes'),
        images,
        timeout: timeoutFlag(invocation),
        dryRun: invocation.compose.dryRun,
      }),
    );
  },
};
