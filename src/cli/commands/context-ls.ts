import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { ellipsis, renderListing } from '../format/index.ts';
import { currentContext, defaultSocket, listContexts } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { formatHelp } from './ps.ts';

const flags = flagTable(`
      --format string   ${formatHelp}
  -q, --quiet           Print names only
`);

/** `berth context ls`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'List contexts',
  flags,
  args: noArgs,
  async run({ flags: given, globals, terminal }) {
    const current = currentContext(globals, terminal.env);
    const host = globals.host ?? (terminal.env.BERTH_HOST || terminal.env.DOCKER_HOST || defaultSocket);
    const all = [
      { name: 'default', description: 'Named host, or the socket of this machine', host },
      ...listContexts(globals.configDir),
    ];
    const rows = all.map(
      (context): TypedObject => ({
        [typeName]: '*formatter.clientContextContext',
        Current: context.name === current,
        Name: context.name,
        Description: ellipsis(context.description, 60),
        DockerEndpoint: context.host,
        Error: '',
      }),
    );
    const text = renderListing(rows, given.string('format'), {
      table: '{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}',
      quietTable: '{{.Name}}',
      quiet: given.bool('quiet'),
      headers: {
        Name: 'NAME',
        Description: 'DESCRIPTION',
        DockerEndpoint: 'DOCKER ENDPOINT',
        Error: 'ERROR',
        Current: '',
      },
    });
    terminal.stdout.write(text);
  },
};
