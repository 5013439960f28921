import * as packet from 'dns-packet';
import { parseAddress, reverseName } from '../ip.ts';
import type { Endpoint } from '../network.ts';
import type { SandboxRecord, SandboxRecords } from '../sandbox-records.ts';

/** Seconds that a resolver may keep an answer of ours, as Docker's. */
const TTL = 600;
/** RCODE values (RFC 1035 4.1.1). */
const SERVFAIL = 2;

/** A query of which only the first question counts, as everywhere in DNS practice. */
export interface Query {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly raw: Buffer;
  readonly packet: packet.Packet;
}

/** Reads a query. Undefined for anything else: garbage gets no answer. */
export function parseQuery(raw: Buffer): Query | undefined {
  try {
    const decoded = packet.decode(raw);
    const question = decoded.questions?.[0];
    if (decoded.type !== 'query' || !question) return undefined;
    return { id: decoded.id ?? 0, name: question.name, type: question.type, raw, packet: decoded };
  } catch {
    return undefined;
  }
}

/**
 * What we know about a query from inside `record`: an answer packet, or undefined when the name is not of its networks
 * and has to be asked for outside. A name of ours without an address of the asked kind gives an empty answer, so that
 * it never leaves the host.
 */
export function answerQuery(query: Query, record: SandboxRecord, records: SandboxRecords): Buffer | undefined {
  const name = query.name.toLowerCase().replace(/\.$/, '');
  if (query.type === 'PTR') {
    const target = reverseLookup(name, record, records);
    return target === undefined
      ? undefined
      : respond(query, [{ name: query.name, type: 'PTR', ttl: TTL, data: target }]);
  }
  const endpoints = lookup(name, record, records);
  if (endpoints.length === 0) return undefined;
  const addresses = endpoints.map((endpoint) => (query.type === 'AAAA' ? endpoint.ipv6 : endpoint.ipv4)?.address);
  const type = query.type === 'A' || query.type === 'AAAA' ? query.type : undefined;
  const unique = type === undefined ? [] : [...new Set(addresses.filter((address) => address !== undefined))];
  return respond(
    query,
    rotate(unique, query.id).map((data) => ({ name: query.name, type: type ?? 'A', ttl: TTL, data })),
  );
}

/** The answer when no server outside could be asked. */
export function serverFailure(query: Query): Buffer {
  return respond(query, [], SERVFAIL);
}

/** Cuts an answer to what the client's UDP buffer holds (512 bytes, or as its EDNS record says), setting TC. */
export function fitUdp(answer: Buffer, query: Query): Buffer {
  const option = query.packet.additionals?.find((record) => record.type === 'OPT');
  const limit = Math.max(512, option?.udpPayloadSize ?? 512);
  if (answer.length <= limit) return answer;
  const decoded = packet.decode(answer);
  return packet.encode({
    id: query.id,
    type: 'response',
    flags: (decoded.flags ?? 0) | packet.TRUNCATED_RESPONSE,
    questions: decoded.questions ?? [],
  });
}

/**
 * Endpoints that `name` means on the networks of `record`: by any of their names, by `NAME.NETWORK`, or by a link. Who
 * stands by is meant only where nobody else is.
 */
function lookup(name: string, record: SandboxRecord, records: SandboxRecords): Endpoint[] {
  const found: { endpoint: Endpoint; standby: boolean }[] = [];
  for (const { endpoint, request } of record.endpoints) {
    if (endpoint.dnsNames.length === 0) continue;
    const link = Object.entries(request.links ?? {}).find(([alias]) => alias.toLowerCase() === name)?.[1];
    const suffix = `.${endpoint.networkName.toLowerCase()}`;
    const wanted = new Set([name, link?.toLowerCase(), name.endsWith(suffix) ? name.slice(0, -suffix.length) : name]);
    for (const peer of records.on(endpoint.networkId)) {
      if (!peer.endpoint.dnsNames.some((known) => wanted.has(known.toLowerCase()))) continue;
      found.push({ endpoint: peer.endpoint, standby: peer.record.standby === true });
    }
  }
  const serving = found.filter(({ standby }) => !standby);
  return (serving.length > 0 ? serving : found).map(({ endpoint }) => endpoint);
}

function reverseLookup(name: string, record: SandboxRecord, records: SandboxRecords): string | undefined {
  for (const { endpoint } of record.endpoints) {
    if (endpoint.dnsNames.length === 0) continue;
    for (const peer of records.on(endpoint.networkId)) {
      const places = [peer.endpoint.ipv4, peer.endpoint.ipv6].filter((place) => place !== undefined);
      if (places.some((place) => reverseName(parseAddress(place.address)) === name)) {
        return `${peer.endpoint.dnsNames[0]}.${endpoint.networkName}`;
      }
    }
  }
  return undefined;
}

/** Starts the list elsewhere each time, so that clients which take the first address spread over all. */
function rotate<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function respond(query: Query, answers: packet.Answer[], rcode = 0): Buffer {
  const option = query.packet.additionals?.find((record) => record.type === 'OPT');
  return packet.encode({
    id: query.id,
    type: 'response',
    flags: ((query.packet.flags ?? 0) & packet.RECURSION_DESIRED) | packet.RECURSION_AVAILABLE | rcode,
    questions: query.packet.questions ?? [],
    answers,
    // RFC 6891: who asks with EDNS is answered with EDNS.
    additionals: option ? [{ name: '.', type: 'OPT', udpPayloadSize: 1232 }] : [],
  });
}
