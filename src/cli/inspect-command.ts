import type { Client } from '#client';
import { atLeast, type Command, type Invocation } from './command/index.ts';
import { flagTable } from './flags/index.ts';
import { connectClient } from './host/index.ts';
import { inspectObjects } from './inspect-objects.ts';

/** What sets one `TYPE inspect` command apart from the others. */
export interface InspectCommandParts {
  /** `container`, as in the usage line. */
  readonly type: string;
  /** A line of the flag table for a flag of its own. */
  readonly flag?: string;
  readonly fetch: (client: Client, name: string, given: Invocation['flags']) => Promise<string>;
}

/** A command that shows all that is known of objects of one type. */
export function inspectCommand({ type, flag, fetch }: InspectCommandParts): Command {
  const name = type.toUpperCase();
  return {
    usage: `[OPTIONS] ${name} [${name}...]`,
    short: `Display details of one or more ${type}s`,
    flags: flagTable(`
  -f, --format string   'json', or a Go TEMPLATE
${flag ?? ''}
`),
    args: atLeast(1),
    async run(invocation) {
      const { flags: given, args, terminal } = invocation;
      const client = await connectClient(invocation);
      return inspectObjects(terminal, args, {
        format: given.string('format'),
        fetch: (object) => fetch(client, object, given),
      });
    },
  };
}
