import { type Command, ExitError, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { followSize, proxySignals, startSession } from '../session/index.ts';

const flags = flagTable(`
      --detach-keys string   Keys that detach from the container
      --no-stdin             Do not attach STDIN
      --sig-proxy            Pass signals on to the process (default true)
`);

/** `berth attach`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER',
  short: 'Join the streams of a running container',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal, globals } = invocation;
    const client = await connectClient(invocation);
    const { Id: id, State: state, Config: config } = await client.containers.inspect(args[0] ?? '');
    if (!state.Running) throw new ExitError(1, 'cannot attach to a stopped container, start it first\n');
    if (state.Paused) throw new ExitError(1, 'cannot attach to a paused container, unpause it first\n');
    if (state.Restarting) throw new ExitError(1, 'cannot attach to a restarting container, wait until it is running\n');
    const stdin = !given.bool('no-stdin') && config.OpenStdin;
    if (config.Tty && stdin && terminal.stdin.isTTY !== true) throw new ExitError(1, 'the input device is not a TTY\n');
    const keys = given.string('detach-keys') || readConfigFile(globals.configDir).detachKeys || '';
    const { result } = await client.containers.wait(id);
    const connection = await client.containers.attach(id, {
      stdin,
      stdout: true,
      stderr: true,
      ...(keys ? { detachKeys: keys } : {}),
    });
    const proxied = given.changed('sig-proxy') ? given.bool('sig-proxy') : true;
    const stopProxy =
      proxied && !config.Tty ? proxySignals((signal) => client.containers.kill(id, signal)) : () => undefined;
    const session = startSession(connection, { terminal, stdin, tty: config.Tty, detachKeys: keys });
    const stopSize = config.Tty ? followSize(terminal, (size) => client.containers.resize(id, size)) : () => undefined;
    try {
      await session.done;
    } finally {
      stopSize();
      stopProxy();
    }
    if (session.detached) return 0;
    return (await result).StatusCode;
  },
};
