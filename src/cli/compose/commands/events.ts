import type { EventMessage } from '#api-types';
import { labels } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { readTime } from '../../format/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';

const flags = flagTable(`
      --json           One JSON object a line
      --since string   Also what happened since a time
      --until string   End at a time
`);

/** An event's attributes without compose's own labels. */
function attributesOf(event: EventMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(event.Actor.Attributes ?? {})
      .filter(([key]) => !key.startsWith('com.docker.compose.'))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** An event's time to the nanosecond, from the text of its line: as a number it would be rounded. */
function clock(line: string): { day: string; time: string; fraction: string } {
  const nano = /"timeNano":\s*(\d+)/.exec(line)?.[1] ?? '0';
  const milliseconds = Number(nano.slice(0, -6) || '0');
  const [day = '', time = ''] = new Date(milliseconds).toISOString().slice(0, 19).split('T');
  return { day, time, fraction: nano.slice(-9).padStart(9, '0') };
}

/** `berth compose events`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Get events of containers as they happen',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const { context, client } = await openNamed(invocation);
    const events = client.system.events({
      since: readTime(given.string('since')),
      until: readTime(given.string('until')),
      filters: ['type=container', `label=${labels.project}=${context.projectName}`],
    });
    for await (const { event, line } of events) {
      const service = event.Actor.Attributes?.[labels.service] ?? '';
      if (event.Actor.Attributes?.[labels.oneOff] === 'True') continue;
      if (args.length > 0 && !args.includes(service)) continue;
      const attributes = attributesOf(event);
      const { day, time, fraction } = clock(line);
      const id = event.Actor.ID;
      if (given.bool('json')) {
        const value = {
          action: event.Action,
          attributes,
          id,
          service,
          time: `${day}T${time}.${fraction}Z`,
          type: 'container',
        };
        terminal.stdout.write(`${JSON.stringify(value)}\n`);
      } else {
        const list = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
        terminal.stdout.write(
          `${day} ${time}.${fraction.slice(0, 6)} container ${event.Action} ${id} (${list.join(', ')})\n\n`,
        );
      }
    }
  },
};
