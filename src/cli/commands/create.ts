import type { ContainerCreateRequest } from '#api-types';
import { atLeast, type Command, type Invocation } from '../command/index.ts';
import { connectClient } from '../host/index.ts';
import { containerFlags, createContainer, requestOf, runChecks, runFailure } from '../run/index.ts';

function requestBody(invocation: Invocation): ContainerCreateRequest {
  try {
    return requestOf(invocation);
  } catch (error) {
    throw runFailure('create', error);
  }
}

/** `berth create`. */
export const command: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create a new container',
  flags: containerFlags,
  checks: runChecks,
  args: atLeast(1),
  interspersed: false,
  async run(invocation) {
    const body = requestBody(invocation);
    const client = await connectClient(invocation);
    const id = await createContainer(client, invocation, body);
    invocation.terminal.stdout.write(`${id}\n`);
  },
};
