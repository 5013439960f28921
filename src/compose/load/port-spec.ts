import { isIP } from 'node:net';
import { invalid } from '#base';

/** One published port of a short form such as `127.0.0.1:8080:80/udp`. */
export interface PortSpec {
  hostIp?: string;
  target: number;
  published?: string;
  protocol: string;
}

function range(text: string, what: string, spec: string): [number, number] {
  const [from = '', to = from, extra] = text.split('-');
  const bad = extra !== undefined || !/^\d+$/.test(from) || !/^\d+$/.test(to);
  if (bad || Number(from) > 65535 || Number(to) > 65535 || Number(to) < Number(from)) {
    throw invalid(`Invalid ${what}: ${what === 'containerPort' || what === 'hostPort' ? text : spec}`);
  }
  return [Number(from), Number(to)];
}

/** Splits `[IP:][HOST:]CONTAINER`, the address possibly in brackets. */
function parts(spec: string): { ip: string; bracketed: boolean; host: string; container: string } {
  const bracket = /^\[([^\]]*)\]:(.*)$/.exec(spec);
  const fields = bracket ? [bracket[1] ?? '', ...(bracket[2] ?? '').split(':')] : spec.split(':');
  const container = fields.pop() ?? '';
  const host = fields.pop() ?? '';
  return { ip: fields.join(':'), bracketed: bracket !== null, host, container };
}

/**
 * Reads a port in short form: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, where HOST and CONTAINER may be ranges. A range of
 * container ports yields one entry each; a range of host ports for one container port stays a range.
 * Entries are in the order of their text, as docker compose sorts them. Throws `invalid` with Docker's texts.
 */
export function parsePortSpec(spec: string): PortSpec[] {
  const [body = '', protocolText] = spec.split('/');
  const protocol = (protocolText ?? '').toLowerCase() || 'tcp';
  const { ip, bracketed, host, container } = parts(body);
  // An IPv6 address must stand in brackets.
  if (ip.includes(':') && !bracketed)
    throw invalid(`Invalid ip address ${ip}: address ${ip}:: too many colons in address`);
  if (ip !== '' && isIP(ip.replace(/%.*$/, '')) === 0) throw invalid(`Invalid ip address ${ip}`);
  if (container === '') throw invalid(`No port specified: ${spec}<empty>`);
  const [first, last] = range(container, 'containerPort', spec);
  const published = host === '' ? undefined : range(host, 'hostPort', spec);
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
