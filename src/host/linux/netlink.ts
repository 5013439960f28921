import koffi from 'koffi';
import { unavailable } from '#base';
import { errnoName, socketCalls } from './socket-calls.ts';

// linux/netlink.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
/** The protocol of connection tracking and nftables. */
export const NETLINK_NETFILTER = 12;
const SIOCGIFINDEX = 0x8933;
const MSG_DONTWAIT = 0x40;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER = 16;
const NESTED = 0x8000;

/** Flags of a request (linux/netlink.h). */
export const NLM_F = { REQUEST: 1, ACK: 4, DUMP: 0x300, REPLACE: 0x100, EXCL: 0x200, CREATE: 0x400 } as const;

/** One netlink attribute: type and payload, padded to four bytes. */
export function attribute(type: number, payload: Buffer | string | number): Buffer {
  let data: Buffer;
  if (typeof payload === 'string') data = Buffer.from(`${payload}\0`);
  else if (typeof payload === 'number') {
    data = Buffer.alloc(4);
    data.writeUInt32LE(payload);
  } else data = payload;
  const out = Buffer.alloc((4 + data.length + 3) & ~3);
  out.writeUInt16LE(4 + data.length, 0);
  out.writeUInt16LE(type, 2);
  data.copy(out, 4);
  return out;
}

/** An attribute that holds attributes. */
export function nested(type: number, ...children: Buffer[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(children));
}

/** The attributes in `data`, by type; of equal types the last. */
export function parseAttributes(data: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= data.length; ) {
    const length = data.readUInt16LE(at);
    if (length < 4) break;
    found.set(data.readUInt16LE(at + 2) & ~NESTED, data.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

/** What a netlink request is made of. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** The kernel refused a request; `errno` is its name. */
export class NetlinkError extends Error {
  readonly errno: string;
  /** Which of several requests it was. */
  at = 0;

  constructor(errno: string) {
    super(errno);
    this.errno = errno;
  }
}

/**
 * A netlink socket, of NETLINK_ROUTE unless told otherwise (netlink(7)). It belongs to the network namespace in which it was opened, whatever thread uses
 * it later. The kernel does a request inside send(2) and queues the answer before it returns, so the following
 * receive never waits.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  #sequence = 0;
  /** Received and not yet looked at. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(protocol = NETLINK_ROUTE) {
    this.#fd = socketCalls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (this.#fd === -1) throw unavailable(`open a netlink socket: ${errnoName(koffi.errno())}`);
  }

  /**
   * Does changes in order, in one call on a thread of the pool: the kernel may make it wait for others' changes. All are
   * tried, also after one has failed. Throws {@link NetlinkError} of the first failure.
   */
  async change(requests: readonly NetlinkRequest[]): Promise<void> {
    await this.#send(requests.map((request) => this.#encode({ ...request, flags: request.flags | NLM_F.ACK })));
    let failure: unknown;
    for (const [at] of requests.entries()) {
      try {
        this.#receive();
      } catch (error) {
        if (error instanceof NetlinkError) error.at = at;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Reads a table. Returns the bodies (without headers) of all messages. */
  async dump(request: NetlinkRequest): Promise<Buffer[]> {
    await this.#send([this.#encode({ ...request, flags: request.flags | NLM_F.DUMP })]);
    return this.#receive();
  }

  /** The index of an interface, or undefined (netdevice(7)). Waits for nobody. */
  indexOf(name: string): number | undefined {
    const request = Buffer.alloc(40);
    request.write(name.slice(0, 15));
    return socketCalls.ioctl(this.#fd, SIOCGIFINDEX, request) === -1 ? undefined : request.readInt32LE(16);
  }

  [Symbol.dispose](): void {
    socketCalls.close(this.#fd);
  }

  #encode(request: NetlinkRequest): Buffer {
    const header = Buffer.alloc(HEADER);
    header.writeUInt32LE(HEADER + request.body.length, 0);
    header.writeUInt16LE(request.type, 4);
    header.writeUInt16LE(request.flags | NLM_F.REQUEST, 6);
    header.writeUInt32LE(++this.#sequence, 8);
    return Buffer.concat([header, request.body]);
  }

  async #send(messages: readonly Buffer[]): Promise<void> {
    const data = Buffer.concat(messages);
    const count = await new Promise<number>((resolve, reject) => {
      socketCalls.send.async(this.#fd, data, data.length, 0, (error: Error | null, result: number | bigint) => {
        if (error) reject(error);
        else resolve(Number(result));
      });
    });
    if (count === -1) throw new NetlinkError(errnoName(koffi.errno()));
  }

  /** Collects messages up to the next acknowledgement, error or end of a dump. */
  #receive(): Buffer[] {
    const bodies: Buffer[] = [];
    for (;;) {
      if (this.#rest.length < HEADER) this.#rest = this.#receiveChunk();
      const length = this.#rest.readUInt32LE(0);
      const type = this.#rest.readUInt16LE(4);
      const body = this.#rest.subarray(HEADER, length);
      this.#rest = this.#rest.subarray((length + 3) & ~3);
      if (type === NLMSG_DONE) return bodies;
      if (type === NLMSG_ERROR) {
        const code = body.readInt32LE(0);
        if (code !== 0) throw new NetlinkError(errnoName(-code));
        return bodies;
      }
      bodies.push(body);
    }
  }

  #receiveChunk(): Buffer {
    const chunk = Buffer.allocUnsafe(32_768);
    const count = Number(socketCalls.recv(this.#fd, chunk, chunk.length, MSG_DONTWAIT));
    if (count === -1) throw new NetlinkError(errnoName(koffi.errno()));
    return chunk.subarray(0, count);
  }
}
