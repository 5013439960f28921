import { between, type Command, ExitError } from '../command/index.ts';
import { connectClient } from '../host/index.ts';

function hostAddress(binding: { HostIp: string; HostPort: string }): string {
  return binding.HostIp.includes(':')
    ? `[${binding.HostIp}]:${binding.HostPort}`
    : `${binding.HostIp}:${binding.HostPort}`;
}

/** As people count: numbers in a text by their value, all else by its bytes. */
function byNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.match(/\d+|\D/g) ?? []);
  for (const [index, mine = ''] of (left ?? []).entries()) {
    const other = right?.[index];
    if (other === undefined) return 1;
    if (mine === other) continue;
    return Number(mine) - Number(other) || (mine < other ? -1 : 1);
  }
  return -1;
}

/** `berth port`. */
export const command: Command = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  short: 'List the published ports of a container',
  args: between(1, 2),
  async run(invocation) {
    const [container = '', wanted] = invocation.args;
    const client = await connectClient(invocation);
    const { NetworkSettings: settings } = await client.containers.inspect(container);
    const ports = settings.Ports ?? {};
    const lines: string[] = [];
    if (wanted !== undefined) {
      const key = wanted.includes('/') ? wanted : `${wanted}/tcp`;
      const bindings = ports[key];
      if (bindings === undefined || bindings === null) {
        throw new ExitError(1, `Error: No public port '${wanted}' published for ${container}\n`);
      }
      lines.push(...bindings.map(hostAddress));
    } else {
      for (const [port, bindings] of Object.entries(ports)) {
        lines.push(...(bindings ?? []).map((binding) => `${port} -> ${hostAddress(binding)}`));
      }
      lines.sort(byNumbers);
    }
    invocation.terminal.stdout.write(lines.map((line) => `${line}\n`).join(''));
  },
};
