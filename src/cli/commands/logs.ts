import { copyStream, demultiplex } from '#client';
import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { readTime } from '../format/index.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
      --details        Show the extra details given to the log
  -f, --follow         Go on with what is written from now on
      --since string   Only what is newer than a time (e.g. "2013-01-02T13:23:37Z") or a duration back (e.g. "42m")
  -n, --tail string    Number of lines from the end of the log (default "all")
  -t, --timestamps     Show times
      --until string   Only what is older than a time (e.g. "2013-01-02T13:23:37Z") or a duration back (e.g. "42m")
`);

/** `berth logs`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER',
  short: 'Fetch the logs of a container',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    const { Id: id, Config: config } = await client.containers.inspect(args[0] ?? '');
    const stream = await client.containers.logs(id, {
      stdout: true,
      stderr: true,
      since: readTime(given.string('since')),
      until: readTime(given.string('until')),
      follow: given.bool('follow'),
      timestamps: given.bool('timestamps'),
      details: given.bool('details'),
      tail: given.string('tail', 'all'),
    });
    if (config.Tty) await copyStream(stream, terminal.stdout);
    else await demultiplex(stream, terminal);
  },
};
