import { type Command, exactly } from '../command/index.ts';
import { connectClient } from '../host/index.ts';

const letters = ['C', 'A', 'D'];

/** `berth diff`. */
export const command: Command = {
  usage: 'CONTAINER',
  short: "List changed files of a container's filesystem",
  args: exactly(1),
  async run(invocation) {
    const client = await connectClient(invocation);
    const changes = await client.containers.changes(invocation.args[0] ?? '');
    const lines = (changes ?? []).map((change) => `${letters[change.Kind]} ${change.Path}\n`);
    invocation.terminal.stdout.write(lines.join(''));
  },
};
