import { isIP } from 'node:net';
import { z } from 'zod';
import { invalid } from '#base';
import type { PortRequest } from '#network';
import { goObject, text } from './go-json.ts';

/** Schema of HostConfig.PortBindings. */
export const portMapSchema = z
  .record(z.string(), z.array(goObject({ HostIp: text, HostPort: text })).nullable())
  .optional();

type Protocol = PortRequest['protocol'];

/** Reads `80`, or `80-90` as both ends. Throws `invalid` with Docker's text. */
function parsePortRange(range: string): { from: number; to: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? from);
  if (match === null || from > 65535 || to > 65535 || to < from) {
    throw invalid(`invalid port specification: ${JSON.stringify(range)}`);
  }
  return { from, to };
}

function parseProtocol(name: string): Protocol {
  const lower = name.toLowerCase();
  if (lower === 'tcp' || lower === 'udp' || lower === 'sctp') return lower;
  throw invalid(`invalid proto: ${name}`);
}

function splitPort(key: string): { from: number; to: number; protocol: Protocol } {
  const [range = '', protocol = 'tcp'] = key.split('/');
  return { ...parsePortRange(range), protocol: parseProtocol(protocol) };
}

/** Reads the keys of ExposedPorts; a range becomes its ports. Returns `80/tcp` forms, no duplicates. */
export function decodeExposedPorts(wire: Readonly<Record<string, unknown>> | undefined): string[] {
  const ports = new Set<string>();
  for (const key of Object.keys(wire ?? {})) {
    const { from, to, protocol } = splitPort(key);
    for (let port = from; port <= to; port++) ports.add(`${port}/${protocol}`);
  }
  return [...ports];
}

/**
 * Reads HostConfig.PortBindings. An empty host port lets the engine choose, a host range lets it choose inside;
 * a container range needs a host range of the same length. Throws `invalid` with Docker's texts.
 */
export function decodePortBindings(wire: z.output<typeof portMapSchema>): PortRequest[] {
  const requests: PortRequest[] = [];
  for (const [key, bindings] of Object.entries(wire ?? {})) {
    const { from, to, protocol } = splitPort(key);
    for (const binding of bindings ?? []) {
      const host = binding.HostPort ? parsePortRange(binding.HostPort) : undefined;
      if (from !== to && host !== undefined && host.to - host.from !== to - from) {
        throw invalid(`Invalid ranges specified for container and host Ports: ${key} and ${binding.HostPort}`);
      }
      for (let port = from; port <= to; port++) {
        requests.push({
          protocol,
          containerPort: port,
          ...hostAddress(binding.HostIp),
          ...hostPort(host, from === to ? undefined : port - from),
        });
      }
    }
  }
  return requests;
}

function hostAddress(address: string | undefined): Pick<PortRequest, 'hostAddress'> {
  if (!address) return {};
  if (isIP(address) === 0) throw invalid(`invalid IP address: ${address}`);
  return { hostAddress: address };
}

function hostPort(
  host: { from: number; to: number } | undefined,
  offset: number | undefined,
): Pick<PortRequest, 'hostPort'> {
  if (host === undefined) return {};
  if (offset !== undefined) return { hostPort: host.from + offset };
  return { hostPort: host.from === host.to ? host.from : host };
}
