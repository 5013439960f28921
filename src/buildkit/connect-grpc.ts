import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type BerthError, canceled, internal, invalid, messageOf, timedOut, unavailable } from '#base';
import { frame, messagesIn } from './frames.ts';
import { type CallOptions, type Connection, type GrpcCaller, type MessageStream, typedStream } from './grpc.ts';
import { endWith, sessionOptions, writeOn } from './http2.ts';
import { metadataHeaders } from './metadata.ts';
import { errorOfStatus, grpcCode, readStatus } from './status.ts';

/** Calls methods over a connection that was taken over; the other end serves (see {@link serveGrpc}). */
export function connectGrpc(connection: Connection): GrpcCaller {
  // The authority names no host: there is one connection, and it is open already.
  const session = connect('http://session', { ...sessionOptions, createConnection: () => connection });
  const closed = new Promise<void>((resolve) => session.once('close', resolve));
  // Whatever went wrong on the connection is what its calls fail with.
  session.on('error', () => connection.destroy());
  endWith(connection, session);
  const open = (path: string, options: CallOptions) => new ClientCall(session, path, options);
  return {
    closed,
    close: () => session.destroy(),
    open: (method, options = {}) =>
      typedStream(open(method.path, options), { received: method.answer, sent: method.question }),
    async ask(method, question, options = {}) {
      const call = open(method.path, options);
      // The answer tells more than a failed send: a peer may end the call before it has read the question.
      call.send(method.question.encode(question)).catch(() => undefined);
      call.end();
      const answers: Uint8Array[] = [];
      for await (const bytes of call.received) answers.push(bytes);
      const [answer] = answers;
      if (answer === undefined) throw internal(`${method.path} was answered without a message`);
      return method.answer.decode(answer);
    },
  };
}

/** One call under way. */
class ClientCall implements MessageStream<Uint8Array, Uint8Array> {
  readonly metadata = {};
  readonly received: AsyncIterable<Uint8Array>;
  readonly #stream: ClientHttp2Stream;
  /** Resolves with what the call failed with, undefined for a good end. */
  readonly #outcome: Promise<BerthError | undefined>;

  constructor(session: ClientHttp2Session, path: string, options: CallOptions) {
    if (options.signal?.aborted) throw canceled(`${path}: canceled`);
    if (session.destroyed || session.closed) throw connectionOver(path);
    this.#stream = session.request({
      ...metadataHeaders(options.metadata ?? {}),
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'berth',
      ...(options.timeoutMs === undefined ? {} : { 'grpc-timeout': `${Math.min(options.timeoutMs, 99_999_999)}m` }),
    });
    this.#outcome = outcomeOf(this.#stream, path, options);
    this.received = receive(this.#stream, this.#outcome);
  }

  async send(message: Uint8Array): Promise<void> {
    const bytes = frame(message);
    if (await writeOn(this.#stream, bytes)) return;
    throw (await this.#outcome) ?? canceled('the call is over');
  }

  end(): void {
    this.#stream.end();
  }
}

function connectionOver(path: string): BerthError {
  return unavailable(`${path}: the connection is closed`);
}

async function* receive(
  stream: ClientHttp2Stream,
  outcome: Promise<BerthError | undefined>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* messagesIn(stream);
  } catch (error) {
    // Streams that are cut fail with words of Node's; what ended the call says more.
    if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
    throw (await outcome) ?? invalid(messageOf(error), { cause: error });
  } finally {
    // A reader that stops early has no use for the rest.
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_CANCEL);
  }
  const failure = await outcome;
  if (failure !== undefined) throw failure;
}

function outcomeOf(
  stream: ClientHttp2Stream,
  path: string,
  { signal, timeoutMs }: CallOptions,
): Promise<BerthError | undefined> {
  return new Promise((resolve) => {
    const end = (error: BerthError) => {
      settle(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const onAbort = () => end(canceled(`${path}: canceled`));
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => end(timedOut(`${path}: no answer`)), timeoutMs);
    const settle = (error: BerthError | undefined) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve(error);
    };
    const onHeaders = (headers: Readonly<Record<string, unknown>>) => {
      const status = readStatus(headers);
      if (status !== undefined) settle(status.code === grpcCode.ok ? undefined : errorOfStatus(status));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    stream.on('response', (headers) => {
      onHeaders(headers);
      if (headers[':status'] !== 200) end(unavailable(`${path}: answered with HTTP status ${headers[':status']}`));
    });
    stream.on('trailers', onHeaders);
    stream.on('error', () => undefined);
    stream.once('close', () => settle(connectionOver(path)));
  });
}
