import type { Client } from '#client';
import { atLeast, type Command, type Invocation } from './command/index.ts';
import { forEachName } from './for-each.ts';
import { connectClient } from './host/index.ts';

/** What sets one command that does the same to each object it is given apart from the others. */
export interface EachCommandParts extends Pick<Command, 'usage' | 'short' | 'flags'> {
  /** Does it to one; a text that it returns is printed in place of the name. */
  readonly work: (
    client: Client,
    name: string,
    invocation: Invocation,
  ) => ReturnType<Parameters<typeof forEachName>[2]>;
}

/** A command that does the same to each of the objects that its arguments name, to all at once. */
export function eachCommand({ work, ...command }: EachCommandParts): Command {
  return {
    ...command,
    args: atLeast(1),
    async run(invocation) {
      const client = await connectClient(invocation);
      return forEachName(invocation.terminal, invocation.args, (name) => work(client, name, invocation));
    },
  };
}
