import { invalid, notFound } from '#base';
import { labels, observeContainers, ProjectWatch, readEarlierLogs, readLog } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { readTime } from '../../format/index.ts';
import type { ComposeCommand, ComposeContext, ComposeInvocation } from '../compose-command.ts';
import { LogPrinter, wantsColour } from '../log-printer.ts';
import { openNamed } from '../open-project.ts';

const flags = flagTable(`
  -f, --follow          Go on with what is written from now on
      --index int       Number of the container, where the service has several
      --no-color        Print without colours
      --no-log-prefix   Print lines without the container's name
      --since string    Only what was written since a time (2013-01-02T13:23:37Z) or duration (42m)
  -n, --tail string     Number of lines from the end of each container's log (default "all")
  -t, --timestamps      Show when each line was written
      --until string    Only what was written before a time or duration
`);

function rangeOf(invocation: ComposeInvocation) {
  const { flags: given } = invocation;
  return {
    since: readTime(given.string('since')),
    until: readTime(given.string('until')),
    timestamps: given.bool('timestamps'),
    tail: given.string('tail', 'all'),
  };
}

async function follow(
  context: ComposeContext,
  invocation: ComposeInvocation,
  options: {
    printer: LogPrinter;
    containers: readonly { id: string; name: string; service: string; state: string }[];
    /** All when empty. */
    services: readonly string[];
  },
): Promise<void> {
  const { printer, containers, services } = options;
  const range = rangeOf(invocation);
  const watch = new ProjectWatch(context, {
    wants: (service) => services.length === 0 || services.includes(service),
    timestamps: range.timestamps,
    listener: {
      line: (container, line, stream) => printer.line(container.name, line, stream),
      exited: () => undefined,
    },
  });
  await watch.open();
  const ended = containers.filter(({ state }) => state !== 'running' && state !== 'restarting');
  for (const container of containers) {
    if (!ended.includes(container)) watch.attach(container, { ...range, follow: true });
  }
  await printEnded(context, invocation, { printer, containers: ended });
  await watch.whenIdle();
  await watch.close();
}

async function printEnded(
  context: ComposeContext,
  invocation: ComposeInvocation,
  options: { printer: LogPrinter; containers: readonly { id: string; name: string }[] },
): Promise<void> {
  const { printer, containers } = options;
  await Promise.all(
    containers.map(async ({ id, name }) => {
      const { Config } = await context.client.containers.inspect(id);
      await readLog(
        context,
        { id, tty: Config.Tty },
        {
          range: { ...rangeOf(invocation), follow: false },
          sink: (line, stream) => printer.line(name, line, stream),
        },
      );
    }),
  );
}

/** `berth compose logs`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Show the output of containers',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args: named, terminal, compose } = invocation;
    const index = given.number('index');
    if (index > 0 && named.length !== 1) throw invalid('--index requires one service to be selected');
    const { context } = await openNamed(invocation, named);
    // Where there is a file, containers of services that it does not have say nothing.
    const args = named.length > 0 ? named : Object.keys(context.project?.services ?? {});
    const containers = (await observeContainers(context.client, context.projectName)).filter(
      (container) =>
        !container.oneOff &&
        (args.length === 0 || args.includes(container.service)) &&
        (index === 0 || container.labels[labels.number] === String(index)),
    );
    if (index > 0 && containers.length === 0) {
      throw notFound(`service "${named[0]}" is not running container #${index}`);
    }
    const printer = new LogPrinter({
      terminal,
      colour: wantsColour(terminal, { ansi: compose.ansi, noColor: given.bool('no-color') }),
      prefix: !given.bool('no-log-prefix'),
      projectName: context.projectName,
    });
    printer.expect(containers.map(({ name }) => name));
    // `--tail` counts lines of the containers that are there.
    if (given.string('tail', 'all') === 'all') {
      await readEarlierLogs(context, {
        range: { ...rangeOf(invocation), follow: false },
        wants: (log) => (args.length === 0 || args.includes(log.Service)) && (index === 0 || log.Number === index),
        // One that was replaced by a swap ended under a name with its id before it.
        sink: (log) => (line, stream) => printer.line(log.Name.replace(/^[0-9a-f]{12}_/, ''), line, stream),
      });
    }
    if (given.bool('follow')) await follow(context, invocation, { printer, containers, services: args });
    else await printEnded(context, invocation, { printer, containers });
  },
};
