import type { ContainerCreateRequest } from '#api-types';
import { readDetachKeys } from '#base';
import type { Client } from '#client';
import { atLeast, type Command, ExitError, type Invocation } from '../command/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { containerFlags, createContainer, requestOf, runChecks, runFailure, runOnlyFlags } from '../run/index.ts';
import { followSize, proxySignals, startSession } from '../session/index.ts';

function checkTerminal(invocation: Invocation): void {
  const { flags, terminal } = invocation;
  const attachesStdin = flags.bool('interactive') && !flags.bool('detach');
  if (flags.bool('tty') && attachesStdin && terminal.stdin.isTTY !== true) {
    throw new ExitError(1, 'the input device is not a TTY\n');
  }
}

function detached(invocation: Invocation, body: ContainerCreateRequest): ContainerCreateRequest {
  if (invocation.flags.list('attach').length > 0) {
    throw new ExitError(1, 'conflicting options: cannot specify both --attach and --detach\n');
  }
  return { ...body, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false };
}

async function runAttached(client: Client, invocation: Invocation, body: ContainerCreateRequest): Promise<number> {
  const { flags, terminal, globals } = invocation;
  const keys = flags.string('detach-keys') || readConfigFile(globals.configDir).detachKeys || '';
  if (keys !== '') readDetachKeys(keys);
  const id = await createContainer(client, invocation, body);
  const tty = body.Tty === true;
  const proxied = flags.changed('sig-proxy') ? flags.bool('sig-proxy') : true;
  const stopProxy = proxied && !tty ? proxySignals((signal) => client.containers.kill(id, signal)) : () => undefined;
  const { AttachStdin: stdin = false, AttachStdout: stdout = false, AttachStderr: stderr = false } = body;
  const connection = await client.containers.attach(id, {
    stdin,
    stdout,
    stderr,
    ...(keys ? { detachKeys: keys } : {}),
  });
  const session = startSession(connection, { terminal, stdin, tty, detachKeys: keys });
  session.done.catch(() => undefined);
  const condition = flags.bool('rm') ? 'removed' : 'next-exit';
  const { result } = await client.containers.wait(id, { condition });
  try {
    await client.containers.start(id);
  } catch (error) {
    session.close();
    connection.stream.destroy();
    if (flags.bool('rm')) await result.catch(() => undefined);
    throw error;
  }
  const stopSize = tty ? followSize(terminal, (size) => client.containers.resize(id, size)) : () => undefined;
  try {
    await session.done;
    if (session.detached) return 0;
    const { StatusCode: code, Error: failure } = await result;
    if (failure?.Message) terminal.stderr.write(`${failure.Message}\n`);
    return code;
  } finally {
    stopSize();
    stopProxy();
  }
}

/** `berth run`. */
export const command: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create and run a new container from an image',
  flags: [...containerFlags, ...runOnlyFlags],
  checks: runChecks,
  args: atLeast(1),
  interspersed: false,
  async run(invocation) {
    try {
      const body = requestOf(invocation);
      checkTerminal(invocation);
      const request = invocation.flags.bool('detach') ? detached(invocation, body) : body;
      const client = await connectClient(invocation);
      if (!invocation.flags.bool('detach')) return await runAttached(client, invocation, request);
      const id = await createContainer(client, invocation, request);
      await client.containers.start(id);
      invocation.terminal.stdout.write(`${id}\n`);
      return 0;
    } catch (error) {
      throw runFailure('run', error);
    }
  },
};
