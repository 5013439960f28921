import type { Socket } from 'node:net';
import { conflict, isBerthError, messageOf, notFound } from '#base';
import { connectSeqpacket } from '#host';
import type { Attachment, OutputChunk } from '../runtime.ts';

/** conmon copies a client's packet into a buffer of this many bytes and drops the rest. */
const inputPacket = 8192;
/** Bytes kept for a consumer that is slower than the process, before the process has to wait. */
const highWater = 256 * 1024;
/** What a queued packet costs beyond its bytes. */
const packetOverhead = 256;
/** First byte of each packet from conmon. */
const [stdoutByte, stderrByte] = [2, 3];

/** Connects to a monitor's attach socket. Throws `not-found` when the monitor is gone. */
export async function openAttachment(path: string, options: { stdinOnce: boolean }): Promise<Attachment> {
  try {
    return new MonitorAttachment(await connectSeqpacket(path), options.stdinOnce);
  } catch (error) {
    const errno = isBerthError(error) ? error.details.errno : (error as NodeJS.ErrnoException).code;
    if (errno === 'ECONNREFUSED' || errno === 'ENOENT') throw notFound('the process has ended: nothing to attach to');
    throw error;
  }
}

class MonitorAttachment implements Attachment {
  readonly #socket: Socket;
  readonly #stdinOnce: boolean;
  #chunks: OutputChunk[] = [];
  #bytes = 0;
  #done = false;
  #inputEnded = false;
  #writes: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  readonly output: AsyncIterable<OutputChunk>;

  constructor(socket: Socket, stdinOnce: boolean) {
    this.#socket = socket;
    this.#stdinOnce = stdinOnce;
    this.output = this.#iterate();
    socket.on('data', (packet: Buffer) => this.#take(packet));
    socket.on('error', () => this.#finish());
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
  }

  write(data: Uint8Array): Promise<void> {
    const mine = this.#writes.then(() => this.#send(data));
    this.#writes = mine.catch(() => {});
    return mine;
  }

  endInput(): void {
    if (!this.#stdinOnce || this.#inputEnded) return;
    this.#inputEnded = true;
    void this.#writes.then(() => this.#socket.end());
  }

  close(): void {
    this.#finish();
    // conmon takes the end of any connection for the end of input. Where that would end the process's stdin, the
    // connection stays, unread data is dropped, and it goes with the process.
    if (this.#stdinOnce && !this.#inputEnded && !this.#socket.readableEnded) this.#socket.resume();
    else void this.#writes.then(() => this.#socket.destroy());
  }

  async #send(data: Uint8Array): Promise<void> {
    if (this.#inputEnded) throw conflict('the input of this process was ended');
    for (let offset = 0; offset < data.length; offset += inputPacket) {
      const packet = data.subarray(offset, offset + inputPacket);
      await new Promise<void>((resolve, reject) => {
        this.#socket.write(packet, (error) => {
          if (error) reject(notFound(`the process takes no more input: ${messageOf(error)}`));
          else resolve();
        });
      });
    }
  }

  #take(packet: Buffer): void {
    if (this.#done) return;
    const from = packet[0];
    if (from !== stdoutByte && from !== stderrByte) return;
    this.#chunks.push({ stream: from === stdoutByte ? 'stdout' : 'stderr', data: packet.subarray(1) });
    this.#bytes += packet.length + packetOverhead;
    if (this.#bytes >= highWater) this.#socket.pause();
    this.#wake?.();
  }

  #finish(): void {
    this.#done = true;
    this.#wake?.();
  }

  async *#iterate(): AsyncGenerator<OutputChunk> {
    for (;;) {
      const chunks = this.#chunks;
      this.#chunks = [];
      this.#bytes = 0;
      yield* chunks;
      if (this.#chunks.length > 0) continue;
      if (this.#done) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#socket.isPaused()) this.#socket.resume();
      });
      this.#wake = undefined;
    }
  }
}
