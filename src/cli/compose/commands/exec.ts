import { atLeast } from '../../command/index.ts';
import { command as exec } from '../../commands/exec.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { pickContainer } from '../pick-container.ts';
import { passedFlags, useDockerCommand } from '../use-docker-command.ts';

const flags = flagTable(`
  -d, --detach            Run the command in the background
  -e, --env stringArray   Set environment variables
      --index int         Number of the container, where the service has several
  -i, --interactive       !
  -T, --no-tty            No terminal for the command; the default where STDIN or STDOUT is none
      --no-TTY            !=no-tty
      --privileged        Give extended privileges to the command
  -t, --tty               !
  -u, --user string       Run the command as this user
  -w, --workdir string    Working directory inside the container
`);

/** `berth compose exec`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE COMMAND [ARGS...]',
  short: 'Run a command in a running container',
  flags,
  args: atLeast(2),
  interspersed: false,
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [service = '', ...command] = args;
    const { container } = await pickContainer(invocation, service, { running: true });
    const onTerminal = terminal.stdin.isTTY === true && terminal.stdout.isTTY === true;
    const tty = !given.bool('detach') && !given.bool('no-tty') && onTerminal;
    const interactive = !given.changed('interactive') || given.bool('interactive');
    const words = [
      ...passedFlags(invocation, ['detach', 'env', 'privileged', 'user', 'workdir']),
      ...(interactive && !given.bool('detach') ? ['--interactive'] : []),
      ...(tty ? ['--tty'] : []),
    ];
    return useDockerCommand(invocation, exec, [...words, container.id, ...command]);
  },
};
