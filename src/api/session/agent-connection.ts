import { Duplex } from 'node:stream';
import { type GrpcCaller, type MessageStream, sessionMethods } from '#buildkit';

/** Largest piece that is forwarded at a time, in bytes; gRPC peers take 4 MiB at most by default. */
const pieceBytes = 1 << 20;

/** One connection to an ssh agent of the client, over its session. Destroying it ends the call. */
export class AgentConnection extends Duplex {
  readonly #call = new AbortController();
  readonly #stream: MessageStream<{ data: Uint8Array }, { data: Uint8Array }>;
  readonly #received: AsyncIterator<{ data: Uint8Array }>;

  constructor(caller: GrpcCaller, id: string, signal: AbortSignal) {
    super();
    this.#stream = caller.open(sessionMethods.forwardAgent, {
      metadata: { 'buildkit.ssh.id': [id] },
      signal: AbortSignal.any([signal, this.#call.signal]),
    });
    this.#received = this.#stream.received[Symbol.asyncIterator]();
  }

  override _read(): void {
    this.#received.next().then(
      ({ done, value }) => {
        if (done) this.push(null);
        // An empty piece is none; the stream would wait for more without asking again.
        else if (value.data.length === 0) this._read();
        else this.push(value.data);
      },
      (error: unknown) => this.destroy(asError(error)),
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#send(chunk).then(
      () => done(),
      (error: unknown) => done(asError(error)),
    );
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#call.abort();
    done(error);
  }

  async #send(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; offset += pieceBytes) {
      await this.#stream.send({ data: chunk.subarray(offset, offset + pieceBytes) });
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
