import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';

/**
 * Variables that `--link NAME:ALIAS` gives a container on the default bridge (Docker's legacy links): where the other
 * one's exposed ports are, its name, and its own variables under the alias. On other networks there are none.
 */
export function linkEnvironment(registry: Pick<ContainerRegistry, 'tryFind'>, container: LiveContainer): string[] {
  const { links, networkMode } = container.settings.host;
  if (!['', 'default', 'bridge'].includes(networkMode)) return [];
  return links.flatMap((link) => {
    const [target = '', alias = target] = link.split(':');
    const other = registry.tryFind(target);
    const name = alias.replace(/^\//, '');
    return other === undefined ? [] : variables(other, { name, consumer: container.name });
  });
}

function variables(other: LiveContainer, { name, consumer }: { name: string; consumer: string }): string[] {
  const prefix = name.replaceAll('-', '_').toUpperCase();
  const address = other.sandbox?.endpoints.find((endpoint) => endpoint.networkName === 'bridge')?.ipv4?.address ?? '';
  const ports = [...other.settings.exposedPorts].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const urls = ports.map((port) => {
    const [number = '', protocol = 'tcp'] = port.split('/');
    return { number, protocol, url: `${protocol}://${address}:${number}` };
  });
  const [first] = urls;
  const inherited = other.settings.process.env.filter((entry) => !/^(HOME|PATH)=/.test(entry));
  return [
    ...(first ? [`${prefix}_PORT=${first.url}`] : []),
    ...urls.flatMap(({ number, protocol, url }) => {
      const key = `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
      return [`${key}=${url}`, `${key}_ADDR=${address}`, `${key}_PORT=${number}`, `${key}_PROTO=${protocol}`];
    }),
    `${prefix}_NAME=/${consumer}/${name}`,
    ...inherited.map((entry) => `${prefix}_ENV_${entry}`),
  ];
}
