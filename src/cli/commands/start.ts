import { invalid } from '#base';
import { atLeast, type Command, ExitError, type Invocation } from '../command/index.ts';
import { errorText } from '../error-text.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { followSize, proxySignals, startSession } from '../session/index.ts';

const flags = flagTable(`
  -a, --attach                  Attach STDOUT and STDERR and pass signals on
      --checkpoint string       Restore from this checkpoint
      --checkpoint-dir string   Directory of checkpoints, where not the daemon's own
      --detach-keys string      Keys that detach from the container
  -i, --interactive             Attach STDIN of the container
`);

async function startAttached(invocation: Invocation, name: string): Promise<number> {
  const { flags: given, terminal } = invocation;
  const client = await connectClient(invocation);
  const { Id: id, Config: config, HostConfig: host } = await client.containers.inspect(name);
  const stdin = given.bool('interactive') && config.OpenStdin;
  const keys = given.string('detach-keys');
  const connection = await client.containers.attach(id, {
    stdin,
    stdout: true,
    stderr: true,
    ...(keys ? { detachKeys: keys } : {}),
  });
  const session = startSession(connection, { terminal, stdin, tty: config.Tty, detachKeys: keys });
  session.done.catch(() => undefined);
  const { result } = await client.containers.wait(id, { condition: host.AutoRemove ? 'removed' : 'next-exit' });
  const stopProxy = config.Tty ? () => undefined : proxySignals((signal) => client.containers.kill(id, signal));
  try {
    await client.containers.start(id).catch((error: unknown) => {
      session.close();
      connection.stream.destroy();
      throw error;
    });
    const stopSize = config.Tty ? followSize(terminal, (size) => client.containers.resize(id, size)) : () => undefined;
    await session.done.finally(stopSize);
  } finally {
    stopProxy();
  }
  if (session.detached) return 0;
  return (await result).StatusCode;
}

/** `berth start`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Start one or more stopped containers',
  flags,
  args: atLeast(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    if (given.bool('attach') || given.bool('interactive')) {
      if (args.length > 1) throw invalid('you cannot start and attach multiple containers at once');
      return startAttached(invocation, args[0] ?? '');
    }
    const client = await connectClient(invocation);
    const failed: string[] = [];
    for (const name of args) {
      try {
        const [checkpoint, checkpointDir] = [given.string('checkpoint'), given.string('checkpoint-dir')];
        await client.containers.start(name, { checkpoint, checkpointDir });
        terminal.stdout.write(`${name}\n`);
      } catch (error) {
        terminal.stderr.write(errorText(error));
        failed.push(name);
      }
    }
    if (failed.length > 0) throw new ExitError(1, `Error: failed to start containers: ${failed.join(', ')}\n`);
    return 0;
  },
};
