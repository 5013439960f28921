import { addressBytes, unavailable } from '#base';
import type { ConnectionFilter, Connections } from '../connections.ts';
import {
  attribute,
  NETLINK_NETFILTER,
  NetlinkError,
  type NetlinkRequest,
  NetlinkSocket,
  nested,
  parseAttributes,
} from './netlink.ts';

// linux/netfilter/nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1;
const CT_GET = (NFNL_SUBSYS_CTNETLINK << 8) | 1;
const CT_DELETE = (NFNL_SUBSYS_CTNETLINK << 8) | 2;
const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, ID: 12, FILTER: 25 } as const;
const TUPLE = { IP: 1, PROTO: 2 } as const;
const IP = { V4_SRC: 1, V6_SRC: 3 } as const;
const PROTO = { NUM: 1, DST_PORT: 3 } as const;
/** Which fields of the tuples a dump is limited by (Linux 5.8; older kernels ignore it and tell all). */
const FILTER = { ORIG_FLAGS: 1, REPLY_FLAGS: 2 } as const;
const FILTER_F = { IP_SRC: 1 << 0, PROTO_NUM: 1 << 3, PROTO_DST_PORT: 1 << 5 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_UDP = 17;

/** Connection tracking through ctnetlink: one filtered dump, and one deletion for each entry found. */
export function createConnections(): Connections {
  return {
    async forget(filter) {
      using socket = new NetlinkSocket(NETLINK_NETFILTER);
      const query = 'udpServer' in filter ? byUdpServer(filter.udpServer) : byUdpPort(filter);
      let bodies: Buffer[];
      try {
        bodies = await socket.dump({ type: CT_GET, flags: 0, body: query.body });
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error;
        // The module is loaded with the first rule that needs it: without it nothing is tracked.
        if (error.errno === 'EOPNOTSUPP' || error.errno === 'EINVAL') return;
        throw unavailable(`read tracked connections: ${error.errno}`, { details: { errno: error.errno } });
      }
      const requests = bodies.flatMap((body) => deletion(body, query.matches));
      if (requests.length === 0) return;
      try {
        await socket.change(requests);
      } catch (error) {
        // ENOENT: it has ended by itself meanwhile.
        if (error instanceof NetlinkError && error.errno === 'ENOENT') return;
        throw error;
      }
    },
  };
}

type Attributes = ReadonlyMap<number, Buffer>;
interface Query {
  readonly body: Buffer;
  readonly matches: (entry: Attributes) => boolean;
}

function byUdpServer(server: string): Query {
  const bytes = addressBytes(server);
  const type = bytes.length === 4 ? IP.V4_SRC : IP.V6_SRC;
  const protocol = Buffer.from([IPPROTO_UDP]);
  const tuple = [nested(TUPLE.IP, attribute(type, bytes)), nested(TUPLE.PROTO, attribute(PROTO.NUM, protocol))];
  // Linux has the comparison of IPv6 addresses the wrong way round here: it would tell all but those asked for.
  const flags = FILTER_F.PROTO_NUM | (bytes.length === 4 ? FILTER_F.IP_SRC : 0);
  return {
    body: Buffer.concat([
      header(bytes.length === 4 ? AF_INET : AF_INET6),
      nested(CTA.TUPLE_REPLY, ...tuple),
      nested(CTA.FILTER, attribute(FILTER.ORIG_FLAGS, 0), attribute(FILTER.REPLY_FLAGS, flags)),
    ]),
    matches: (entry) =>
      (inTuple(entry, CTA.TUPLE_REPLY, TUPLE.IP).get(type)?.equals(bytes) &&
        inTuple(entry, CTA.TUPLE_REPLY, TUPLE.PROTO).get(PROTO.NUM)?.equals(protocol)) ??
      false,
  };
}

function byUdpPort({ udpPort, family }: Extract<ConnectionFilter, { udpPort: number }>): Query {
  const port = Buffer.alloc(2);
  port.writeUInt16BE(udpPort);
  const protocol = Buffer.from([IPPROTO_UDP]);
  const flags = FILTER_F.PROTO_NUM | FILTER_F.PROTO_DST_PORT;
  return {
    body: Buffer.concat([
      header(family === 4 ? AF_INET : AF_INET6),
      nested(CTA.TUPLE_ORIG, nested(TUPLE.PROTO, attribute(PROTO.NUM, protocol), attribute(PROTO.DST_PORT, port))),
      nested(CTA.FILTER, attribute(FILTER.ORIG_FLAGS, flags), attribute(FILTER.REPLY_FLAGS, 0)),
    ]),
    matches: (entry) => {
      const asked = inTuple(entry, CTA.TUPLE_ORIG, TUPLE.PROTO);
      return (asked.get(PROTO.NUM)?.equals(protocol) && asked.get(PROTO.DST_PORT)?.equals(port)) ?? false;
    },
  };
}

function inTuple(entry: Attributes, tuple: number, part: number): Attributes {
  const none = Buffer.alloc(0);
  return parseAttributes(parseAttributes(entry.get(tuple) ?? none).get(part) ?? none);
}

function deletion(body: Buffer, matches: Query['matches']): NetlinkRequest[] {
  const entry = parseAttributes(body.subarray(4));
  const [original, id] = [entry.get(CTA.TUPLE_ORIG), entry.get(CTA.ID)];
  if (!original || !id || !matches(entry)) return [];
  const parts = [header(body[0] ?? AF_INET), nested(CTA.TUPLE_ORIG, original), attribute(CTA.ID, id)];
  return [{ type: CT_DELETE, flags: 0, body: Buffer.concat(parts) }];
}

/** A struct nfgenmsg. */
function header(family: number): Buffer {
  return Buffer.from([family, 0, 0, 0]);
}
