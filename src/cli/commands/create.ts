import { atLeast, type Command } from '../command/index.ts';
import { connectClient } from '../host/index.ts';
import { containerFlags, createContainer, requestOf, runChecks, runFailure } from '../run/index.ts';

/** `berth create`. */
export const command: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create a new container',
  flags: containerFlags,
  checks: runChecks,
  args: atLeast(1),
  interspersed: false,
  async run(invocation) {
    try {
      const body = requestOf(invocation);
      const client = await connectClient(invocation);
      const id = await createContainer(client, invocation, body);
      invocation.terminal.stdout.write(`${id}\n`);
    } catch (error) {
      throw runFailure('create', error);
    }
  },
};
