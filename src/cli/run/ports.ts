import { isIP } from 'node:net';
import type { EmptyObject, PortBinding, PortMap } from '#api-types';
import { invalid } from '#base';

const protocols = new Set(['tcp', 'udp', 'sctp']);

interface Range {
  readonly first: number;
  readonly last: number;
}

function readRange(text: string, what: string): Range {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > 65535 || last > 65535) throw invalid(`invalid ${what}: ${text}`);
  if (last < first) throw invalid(`invalid ${what}: ${text}`);
  return { first, last };
}

function splitProtocol(text: string): { body: string; protocol: string } {
  const slash = text.indexOf('/');
  if (slash === -1) return { body: text, protocol: 'tcp' };
  return { body: text.slice(0, slash), protocol: text.slice(slash + 1).toLowerCase() || 'tcp' };
}

interface ShortPort {
  readonly ip: string;
  readonly hostPort: string;
  readonly containerPort: string;
}

function splitShort(text: string): ShortPort {
  const parts = text.split(':');
  const containerPort = parts.pop() ?? '';
  const hostPort = parts.pop() ?? '';
  const ip = parts.join(':');
  return { ip: ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip, hostPort, containerPort };
}

/** `-p` words in Docker's short form: `[[ip:]hostPort:]containerPort[/protocol]`, ranges allowed. */
function readShort(word: string): { port: string; binding: PortBinding }[] {
  const { body, protocol } = splitProtocol(word);
  const { ip, hostPort, containerPort } = splitShort(body);
  if (containerPort === '') throw invalid(`no port specified: ${word}<empty>`);
  if (ip !== '' && isIP(ip) === 0) throw invalid(`invalid IP address: ${ip}`);
  const container = readRange(containerPort, 'containerPort');
  const host = hostPort === '' ? undefined : readRange(hostPort, 'hostPort');
  const count = container.last - container.first;
  if (host !== undefined && host.last - host.first !== count && count !== 0) {
    throw invalid(`invalid ranges specified for container and host Ports: ${containerPort} and ${hostPort}`);
  }
  if (!protocols.has(protocol)) throw invalid(`invalid proto: ${protocol}`);
  return Array.from({ length: count + 1 }, (_, index) => {
    let published = host === undefined ? '' : String(host.first + index);
    if (host !== undefined && count === 0 && host.first !== host.last) published = `${host.first}-${host.last}`;
    return { port: `${container.first + index}/${protocol}`, binding: { HostIp: ip, HostPort: published } };
  });
}

/** `-p target=80,published=8080,protocol=tcp`: the long form. */
function readLong(word: string): { port: string; binding: PortBinding }[] {
  const fields: Record<string, string> = {};
  for (const part of word.split(',')) {
    const equals = part.indexOf('=');
    const key = (equals === -1 ? part : part.slice(0, equals)).toLowerCase();
    if (equals === -1) throw invalid(`invalid field: ${part}`);
    if (!['target', 'published', 'protocol', 'mode'].includes(key)) throw invalid(`invalid field key ${key}`);
    fields[key] = part.slice(equals + 1);
  }
  const target = readRange(fields.target ?? '', 'containerPort');
  const protocol = fields.protocol ?? 'tcp';
  if (!protocols.has(protocol)) throw invalid(`invalid protocol value '${protocol}'`);
  return [{ port: `${target.first}/${protocol}`, binding: { HostIp: '', HostPort: fields.published ?? '' } }];
}

/** `-p` and `--expose` together as the API takes them. Throws `invalid` with Docker's texts. */
export function readPorts(
  publish: readonly string[],
  expose: readonly string[],
): { exposed: Record<string, EmptyObject>; bindings: PortMap } {
  const exposed: Record<string, EmptyObject> = {};
  const bindings: Record<string, PortBinding[]> = {};
  for (const word of publish) {
    for (const { port, binding } of word.includes('=') ? readLong(word) : readShort(word)) {
      exposed[port] = {};
      bindings[port] = [...(bindings[port] ?? []), binding];
    }
  }
  for (const word of expose) {
    if (word.includes(':')) throw invalid(`invalid port format for --expose: ${word}`);
    const { body, protocol } = splitProtocol(word);
    const match = /^\d+(?:-\d+)?$/.test(body);
    if (!match)
      throw invalid(
        `invalid range format for --expose: ${word}, error: strconv.ParseUint: parsing ${JSON.stringify(body)}: invalid syntax`,
      );
    const { first, last } = readRange(body, 'range format for --expose');
    for (let port = first; port <= last; port += 1) exposed[`${port}/${protocol}`] = {};
  }
  return { exposed, bindings };
}
