import { conflict, errnoOf, isBerthError, messageOf, notFound } from '#base';
import { connectSeqpacket, type PacketConnection } from '#host';
import type { Attachment, OutputChunk } from '../runtime.ts';
import { OutputQueue } from './output-queue.ts';

/** conmon copies a client's packet into a buffer of this many bytes and drops the rest. */
const inputPacket = 8192;
/** First byte of each packet from conmon. */
const [stdoutByte, stderrByte] = [2, 3];

/** Connects to a monitor's attach socket. Throws `not-found` when the monitor is gone. */
export async function openAttachment(path: string, options: { stdinOnce: boolean }): Promise<Attachment> {
  const queue = new OutputQueue();
  try {
    const connection = await connectSeqpacket(path, {
      packet: (packet) => {
        const from = packet[0];
        if (from !== stdoutByte && from !== stderrByte) return;
        queue.push({ stream: from === stdoutByte ? 'stdout' : 'stderr', data: packet.subarray(1) });
      },
      end: () => queue.end(),
    });
    queue.source = connection;
    return new MonitorAttachment(connection, queue, options.stdinOnce);
  } catch (error) {
    const errno = isBerthError(error) ? error.details.errno : errnoOf(error);
    if (errno === 'ECONNREFUSED' || errno === 'ENOENT') throw notFound('the process has ended: nothing to attach to');
    throw error;
  }
}

class MonitorAttachment implements Attachment {
  readonly output: AsyncIterable<OutputChunk>;
  readonly #connection: PacketConnection;
  readonly #queue: OutputQueue;
  readonly #stdinOnce: boolean;
  #inputEnded = false;
  /** One `write` at a time: its packets stay together. */
  #writes: Promise<void> = Promise.resolve();

  constructor(connection: PacketConnection, queue: OutputQueue, stdinOnce: boolean) {
    this.#connection = connection;
    this.#queue = queue;
    this.#stdinOnce = stdinOnce;
    this.output = queue;
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#inputEnded) return Promise.reject(conflict('the input of this process was ended'));
    const mine = this.#writes.then(() => this.#send(data));
    this.#writes = mine.catch(() => {});
    return mine;
  }

  async #send(data: Uint8Array): Promise<void> {
    for (let offset = 0; offset < data.length; offset += inputPacket) {
      try {
        await this.#connection.write(data.subarray(offset, offset + inputPacket));
      } catch (error) {
        throw notFound(`the process takes no more input: ${messageOf(error)}`);
      }
    }
  }

  endInput(): void {
    if (!this.#stdinOnce || this.#inputEnded) return;
    this.#inputEnded = true;
    void this.#writes.then(() => this.#connection.endWrites());
  }

  close(): void {
    const gone = this.#queue.ended;
    this.#queue.end();
    // conmon takes the end of any connection for the end of input. Where that would end the process's stdin, the
    // connection stays, what comes is dropped, and it goes with the process.
    if (this.#stdinOnce && !this.#inputEnded && !gone) this.#connection.resume();
    else void this.#writes.then(() => this.#connection.close());
  }
}
