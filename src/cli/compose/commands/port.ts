import { invalid } from '#base';
import { exactly } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { pickContainer } from '../pick-container.ts';

const flags = flagTable(`
      --index int         Number of the container, where the service has several
      --protocol string   tcp or udp (default "tcp")
`);

/** `berth compose port`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE PRIVATE_PORT',
  short: 'Print the public address of a port',
  flags,
  args: exactly(2),
  async run(invocation) {
    const [service = '', text = ''] = invocation.args;
    const [, number = '', suffix] = /^(\d+)(?:\/(tcp|udp))?$/.exec(text) ?? [];
    if (number === '') throw invalid(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
    const protocol = suffix ?? invocation.flags.string('protocol', 'tcp');
    const { container, context } = await pickContainer(invocation, service, { running: false });
    const { NetworkSettings } = await context.client.containers.inspect(container.id);
    const ports = NetworkSettings.Ports ?? {};
    const [binding] = ports[`${number}/${protocol}`] ?? [];
    if (binding === undefined) {
      const published = Object.entries(ports).flatMap(([port, bindings]) =>
        (bindings ?? []).map(({ HostPort }) => `${HostPort}/${port.split('/')[1]}`),
      );
      throw invalid(`no port ${number}/${protocol} for container ${container.name}: ${published.join(', ')}`);
    }
    const host = binding.HostIp.includes(':') ? `[${binding.HostIp}]` : binding.HostIp;
    invocation.terminal.stdout.write(`${host}:${binding.HostPort}\n`);
  },
};
