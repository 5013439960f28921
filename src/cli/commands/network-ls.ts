import type { NetworkInspect } from '#api-types';
import { type Command, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { renderListing, shortId } from '../format/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { formatHelp } from './ps.ts';

const flags = flagTable(`
  -f, --filter filter   Show only what matches a condition, KEY=VALUE
      --format string   ${formatHelp}
      --no-trunc        Do not cut long texts
  -q, --quiet           Print ids only
`);

function created(network: NetworkInspect): string {
  const [day = '', clock = ''] = network.Created.replace(/(Z|[+-]\d\d:\d\d)$/, '').split('T');
  const zone = /([+-]\d\d):(\d\d)$/.exec(network.Created);
  return `${day} ${clock} ${zone ? `${zone[1]}${zone[2]} ${zone[1]}${zone[2]}` : '+0000 UTC'}`;
}

function row(network: NetworkInspect, full: boolean): TypedObject {
  return {
    [typeName]: '*network.networkContext',
    ID: full ? network.Id : shortId(network.Id),
    Name: network.Name,
    Driver: network.Driver,
    Scope: network.Scope,
    IPv4: String(network.EnableIPv4),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Labels: Object.entries(network.Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (name: string) => network.Labels?.[name] ?? '',
    CreatedAt: created(network),
  };
}

/** `berth network ls`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'List networks',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal, globals } = invocation;
    const client = await connectClient(invocation);
    const networks = await client.networks.list(given.list('filter'));
    const quiet = given.bool('quiet');
    const format = given.string('format') || (quiet ? '' : (readConfigFile(globals.configDir).networksFormat ?? ''));
    const sorted = [...networks].sort((a, b) => (a.Name < b.Name ? -1 : 1));
    const text = renderListing(
      sorted.map((network) => row(network, given.bool('no-trunc'))),
      format,
      {
        table: '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
        quietTable: '{{.ID}}',
        rawQuiet: 'network_id: {{.ID}}',
        raw: 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n',
        quiet,
        headers: {
          ID: 'NETWORK ID',
          Name: 'NAME',
          Driver: 'DRIVER',
          Scope: 'SCOPE',
          IPv4: 'IPV4',
          IPv6: 'IPV6',
          Internal: 'INTERNAL',
          Labels: 'LABELS',
          CreatedAt: 'CREATED AT',
        },
      },
    );
    terminal.stdout.write(text);
  },
};
