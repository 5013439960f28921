import { internal, readDetachKeys } from '#base';
import { atLeast, type Command, ExitError } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { readEnvironment, runChecks } from '../run/index.ts';
import { followSize, startSession } from '../session/index.ts';

const flags = flagTable(`
  -d, --detach               Run the command in the background
      --detach-keys string   Keys that detach from the container
  -e, --env list             Set environment variables
      --env-file list        Read environment variables from a file
  -i, --interactive          Keep STDIN open even if not attached
      --privileged           Give extended privileges to the command
  -t, --tty                  Allocate a pseudo-TTY
  -u, --user string          User name or UID (<name|uid>[:<group|gid>])
  -w, --workdir string       Working directory inside the container
`);

/** `berth exec`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  short: 'Run a command in a running container',
  flags,
  checks: { env: runChecks.env ?? (() => undefined) },
  args: atLeast(2),
  interspersed: false,
  async run(invocation) {
    const { flags: given, args, terminal, globals } = invocation;
    const [container = '', ...words] = args;
    const detach = given.bool('detach');
    const tty = given.bool('tty');
    const stdin = given.bool('interactive') && !detach;
    const keys = given.string('detach-keys') || readConfigFile(globals.configDir).detachKeys || '';
    if (keys !== '') readDetachKeys(keys);
    const env = readEnvironment(given.list('env-file'), given.list('env'), terminal.env);
    const client = await connectClient(invocation);
    if (stdin && tty && terminal.stdin.isTTY !== true) throw new ExitError(1, 'the input device is not a TTY\n');
    const { rows = 0, columns = 0 } = terminal.stdout;
    const size: { ConsoleSize?: [number, number] } =
      tty && terminal.stdout.isTTY ? { ConsoleSize: [rows, columns] } : {};
    const created = await client.exec.create(container, {
      User: given.string('user'),
      Privileged: given.bool('privileged'),
      Tty: tty,
      ...size,
      AttachStdin: stdin,
      AttachStdout: !detach,
      AttachStderr: !detach,
      DetachKeys: keys,
      Env: env.length === 0 ? null : env,
      WorkingDir: given.string('workdir'),
      Cmd: words,
    });
    if (!created.Id) throw internal('exec ID empty');
    if (detach) {
      await client.exec.startDetached(created.Id);
      return 0;
    }
    const connection = await client.exec.attach(created.Id, { Detach: false, Tty: tty, ...size });
    const session = startSession(connection, { terminal, stdin, tty, detachKeys: keys });
    const stop = tty ? followSize(terminal, (now) => client.exec.resize(created.Id, now)) : () => undefined;
    try {
      await session.done;
    } finally {
      stop();
    }
    if (session.detached) return 0;
    return (await client.exec.inspect(created.Id)).ExitCode ?? 0;
  },
};
