import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';

/** Wait for one server before the next is asked, in ms. */
const PATIENCE = 4_000;

/**
 * Asks the servers in turn, packets going through unchanged (EDNS, DNSSEC and unknown types included), each over a
 * socket of its own: the random source port is the protection against forged answers. Undefined when none answers.
 */
export async function forwardQuery(
  message: Buffer,
  servers: readonly string[],
  options: { readonly over: 'udp' | 'tcp'; readonly port?: number; readonly signal: AbortSignal },
): Promise<Buffer | undefined> {
  const ask = options.over === 'udp' ? askUdp : askTcp;
  for (const server of servers) {
    if (options.signal.aborted) return undefined;
    const answer = await ask(message, { server, port: options.port ?? 53, signal: options.signal });
    if (answer) return answer;
  }
  return undefined;
}

interface Target {
  readonly server: string;
  readonly port: number;
  readonly signal: AbortSignal;
}

function askUdp(message: Buffer, { server, port, signal }: Target): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    let done = false;
    const finish = (answer?: Buffer) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.close();
      resolve(answer);
    };
    const abort = () => finish();
    const timer = setTimeout(finish, PATIENCE);
    signal.addEventListener('abort', abort);
    socket.on('error', () => finish());
    socket.on('message', (answer) => {
      if (answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0)) finish(answer);
    });
    // A connected socket takes answers from this server alone, and learns at once when nobody listens there.
    socket.connect(port, server, () => socket.send(message, (error) => error && finish()));
  });
}

function askTcp(message: Buffer, { server, port, signal }: Target): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: server, port, signal });
    const frames = new FrameReader();
    const finish = (answer?: Buffer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE, () => finish());
    socket.on('error', () => finish());
    socket.on('close', () => resolve(undefined));
    socket.on('data', (chunk) => {
      const [answer] = frames.push(chunk);
      if (answer) finish(answer);
    });
    socket.write(frame(message));
  });
}

/** A DNS message with its length before it, as TCP carries it (RFC 1035 4.2.2). */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts a TCP stream into messages. Holds at most one message (64 KiB). */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    while (this.#rest.length >= 2) {
      const length = this.#rest.readUInt16BE(0);
      if (this.#rest.length < 2 + length) break;
      messages.push(this.#rest.subarray(2, 2 + length));
      this.#rest = this.#rest.subarray(2 + length);
    }
    return messages;
  }
}
