import type { Client } from '#client';
import type { Command } from './command/index.ts';
import { eachCommand } from './each-command.ts';
import { flagTable } from './flags/index.ts';

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
  return eachCommand({
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    short,
    flags,
    work(client, name, { flags: given }) {
      const seconds = given.changed('timeout') ? { timeout: given.number('timeout') } : {};
      return call(client, name, { ...seconds, stopSignal: given.string('signal') });
    },
  });
}
