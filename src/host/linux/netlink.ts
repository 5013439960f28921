import koffi from 'koffi';
import { unavailable } from '#base';
import { errnoName, socketCalls } from './socket-calls.ts';

// linux/netlink.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
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
  constructor(errno: string) {
    super(errno);
    this.errno = errno;
  }
}

/**
 * A NETLINK_ROUTE socket (netlink(7)). It belongs to the network namespace in which it was opened, whatever thread uses
 * it later. The kernel does a request inside send(2) and queues the answer before it returns, so the following
 * receive never waits.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  #sequence = 0;

  constructor() {
    this.#fd = socketCalls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (this.#fd === -1) throw unavailable(`open a netlink socket: ${errnoName(koffi.errno())}`);
  }

  /** Does one change and waits for the acknowledgement, all on this thread. Throws {@link NetlinkError}. */
  change(request: NetlinkRequest): void {
    const message = this.#encode({ ...request, flags: request.flags | NLM_F.ACK });
    this.#sent(socketCalls.send(this.#fd, message, message.length, 0), koffi.errno());
    this.#receive();
  }

  /** As {@link NetlinkSocket.change}, with the kernel's work done on a thread of the pool: for what takes milliseconds. */
  async changeOffThread(request: NetlinkRequest): Promise<void> {
    const message = this.#encode({ ...request, flags: request.flags | NLM_F.ACK });
    const result = await new Promise<number>((resolve, reject) => {
      socketCalls.send.async(this.#fd, message, message.length, 0, (error: Error | null, count: number) => {
        if (error) reject(error);
        else resolve(Number(count));
      });
    });
    this.#sent(result, koffi.errno());
    this.#receive();
  }

  /** Reads a table. Returns the bodies (without headers) of all messages. */
  dump(request: NetlinkRequest): Buffer[] {
    const message = this.#encode({ ...request, flags: request.flags | NLM_F.DUMP });
    this.#sent(socketCalls.send(this.#fd, message, message.length, 0), koffi.errno());
    return this.#receive();
  }

  /** Reads one object. Throws {@link NetlinkError}. */
  get(request: NetlinkRequest): Buffer | undefined {
    const message = this.#encode({ ...request, flags: request.flags | NLM_F.ACK });
    this.#sent(socketCalls.send(this.#fd, message, message.length, 0), koffi.errno());
    return this.#receive()[0];
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

  #sent(count: number | bigint, errno: number): void {
    if (Number(count) === -1) throw new NetlinkError(errnoName(errno));
  }

  /** Collects messages up to the acknowledgement, the error or the end of a dump. */
  #receive(): Buffer[] {
    const bodies: Buffer[] = [];
    for (;;) {
      const chunk = Buffer.alloc(65_536);
      const count = Number(socketCalls.recv(this.#fd, chunk, chunk.length, MSG_DONTWAIT));
      if (count === -1) throw new NetlinkError(errnoName(koffi.errno()));
      for (let at = 0; at + HEADER <= count; ) {
        const length = chunk.readUInt32LE(at);
        const type = chunk.readUInt16LE(at + 4);
        if (type === NLMSG_DONE) return bodies;
        if (type === NLMSG_ERROR) {
          const code = chunk.readInt32LE(at + HEADER);
          if (code !== 0) throw new NetlinkError(errnoName(-code));
          return bodies;
        }
        bodies.push(Buffer.from(chunk.subarray(at + HEADER, at + length)));
        at += (length + 3) & ~3;
      }
    }
  }
}
