import type { EventMessage } from '#api-types';
import { messageOf } from '#base';
import { type Command, ExitError, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { readTime, rfc3339 } from '../format/index.ts';
import { connectClient } from '../host/index.ts';
import { Template } from '../template/index.ts';

const flags = flagTable(`
  -f, --filter filter   Show only what matches a condition, KEY=VALUE
      --format string   'json', or a Go TEMPLATE
      --since string    Also what happened since a time
      --until string    End at a time
`);

/** A time as events show it, with nanoseconds: they are taken from the text, a number would round them. */
function stamp(event: EventMessage, line: string): string {
  const nano = /"timeNano":\s*(\d+)/.exec(line)?.[1];
  const fraction = nano === undefined ? '000000000' : nano.slice(-9).padStart(9, '0');
  return rfc3339(event.time, `.${fraction}`);
}

function plain(event: EventMessage, line: string): string {
  const pairs = Object.entries(event.Actor.Attributes ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const attributes = pairs.length === 0 ? '' : ` (${pairs.join(', ')})`;
  return `${stamp(event, line)} ${event.Type} ${event.Action} ${event.Actor.ID}${attributes}\n`;
}

/** `berth events`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Get events from the server as they happen',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    const format = given.string('format');
    let template: Template | undefined;
    try {
      if (format !== '' && format !== 'json') template = new Template(format);
    } catch (error) {
      throw new ExitError(64, `Error parsing format: ${messageOf(error)}\n`);
    }
    const client = await connectClient(invocation);
    const stream = client.system.events({
      since: readTime(given.string('since')),
      until: readTime(given.string('until')),
      filters: given.list('filter'),
    });
    for await (const { event, line } of stream) {
      if (template) terminal.stdout.write(`${template.execute(event)}\n`);
      else terminal.stdout.write(format === 'json' ? `${line.trim()}\n` : plain(event, line));
    }
  },
};
