import type { Client } from '#client';
import { atLeast, type Command } from './command/index.ts';
import { flagTable } from './flags/index.ts';
import { forEachName } from './for-each.ts';
import { connectClient } from './host/index.ts';

const flags = flagTable(`
  -s, --signal string   Signal to send to the container
      --time int        !=timeout
  -t, --timeout int     Seconds to wait before killing the container
`);

/** A command that ends each container it is given, with a signal and a time to obey it: `stop` and `restart`. */
export function stopCommand(
  short: string,
  call: (client: Client, name: string, options: { timeout?: number; stopSignal: string }) => Promise<void>,
): Command {
  return {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    short,
    flags,
    args: atLeast(1),
    async run(invocation) {
      const { flags: given, args, terminal } = invocation;
      const client = await connectClient(invocation);
      const seconds = given.changed('timeout') ? { timeout: given.number('timeout') } : {};
      const options = { ...seconds, stopSignal: given.string('signal') };
      return forEachName(terminal, args, (name) => call(client, name, options));
    },
  };
}
