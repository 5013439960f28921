import { isIP } from 'node:net';
import { invalid } from '#base';

/** One published port of a short form such as `127.0.0.1:8080:80/udp`. */
export interface PortSpec {
  hostIp?: string;
  target: number;
  published?: string;
  protocol: string;
}

function range(text: string, what: 'containerPort' | 'hostPort'): [number, number] {
  const [from = '', to = from] = text.split('-');
  const bad = !/^\d+$/.test(from) || !/^\d+$/.test(to);
  if (bad || Number(from) > 65535 || Number(to) > 65535 || Number(to) < Number(from)) {
    throw invalid(`Invalid ${what}: ${text}`);
  }
  return [Number(from), Number(to)];
}

/** The address before a port, without its brackets; an IPv6 address must stand in them. */
function readAddress(address: string): string {
  const fault = (why: string) => invalid(`Invalid ip address ${address}: address ${address}:: ${why} in address`);
  let bare = address;
  if (address.startsWith('[')) {
    const end = address.indexOf(']');
    if (end === -1) throw fault("missing ']'");
    if (end !== address.length - 1) throw fault(address[end + 1] === ':' ? 'too many colons' : 'missing port');
    bare = address.slice(1, end);
  } else if (address.includes(':')) throw fault('too many colons');
  if (bare !== '' && isIP(bare.replace(/%.*$/, '')) === 0) throw invalid(`Invalid ip address: ${bare}`);
  return bare;
}

/**
 * Reads a port in short form: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, where HOST and CONTAINER may be ranges. A range of
 * container ports yields one entry each; a range of host ports for one container port stays a range.
 * Entries are in the order of their text, as docker compose sorts them. Throws `invalid` with Docker's texts.
 */
export function parsePortSpec(spec: string): PortSpec[] {
  const fields = spec.split(':');
  const [container = '', protocolText] = (fields.pop() ?? '').split('/');
  const host = fields.pop() ?? '';
  const ip = readAddress(fields.join(':'));
  if (container === '') throw invalid(`No port specified: ${spec}<empty>`);
  const protocol = (protocolText ?? '').toLowerCase() || 'tcp';
  const [first, last] = range(container, 'containerPort');
  const published = host === '' ? undefined : range(host, 'hostPort');
  const count = last - first + 1;
  if (published && published[1] - published[0] + 1 !== count && count !== 1) {
    throw invalid(`Invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw invalid(`Invalid proto: ${protocolText}`);
  const ports = Array.from({ length: count }, (_, index): PortSpec => {
    const port: PortSpec = { target: first + index, protocol };
    if (ip !== '') port.hostIp = ip;
    if (published)
      port.published =
        count === 1 ? (published[0] === published[1] ? String(published[0]) : host) : String(published[0] + index);
    return port;
  });
  return ports.sort((a, b) => (String(a.target) < String(b.target) ? -1 : 1));
}
