import { constants, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { canceled, messageOf, notImplemented, timedOut } from '#base';
import { frame, messagesIn } from './frames.ts';
import { answering, type Connection, type GrpcServing, type Handler, type MessageStream } from './grpc.ts';
import { endWith, sessionOptions, writeOn } from './http2.ts';
import { readMetadata, readTimeout } from './metadata.ts';
import { sessionMethods } from './session-methods.ts';
import { type GrpcStatus, grpcCode, statusHeaders, statusOfError } from './status.ts';

/** What the health service says of a service that runs. */
const serving = 1;

/**
 * Answers calls that come over a connection that was taken over. Calls of methods without a handler are told so; the
 * health service (`grpc.health.v1`) is answered for whatever service it is asked.
 */
export function serveGrpc(connection: Connection, handlers: readonly Handler[]): GrpcServing {
  const health = answering(sessionMethods.health, () => Promise.resolve({ status: serving }));
  const byPath = new Map([health, ...handlers].map((handler) => [handler.path, handler]));
  const server = createServer(sessionOptions);
  const closed = new Promise<void>((resolve) => connection.once('close', resolve));
  server.on('session', (session) => {
    session.on('error', () => connection.destroy());
    endWith(connection, session);
  });
  // The headers as they came are not in the types of this event; joined ones could not be told apart again.
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, pairs: string[]) => {
    void serveCall(byPath, { stream, headers, pairs });
  });
  connection.on('error', () => connection.destroy());
  server.emit('connection', plain(connection));
  return { closed, close: () => void connection.destroy() };
}

/**
 * Node's HTTP/2 server turns away a TLS connection that did not agree on `h2` in its handshake; one that was taken over
 * from HTTP/1.1 never does.
 */
function plain(connection: Connection): Connection {
  return 'alpnProtocol' in connection ? Duplex.from({ readable: connection, writable: connection }) : connection;
}

interface IncomingCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly pairs: readonly string[];
}

/** Serves one call to its end; never throws. */
async function serveCall(
  byPath: ReadonlyMap<string, Handler>,
  { stream, headers, pairs }: IncomingCall,
): Promise<void> {
  stream.on('error', () => undefined);
  const type = headers['content-type'] ?? '';
  if (headers[':method'] !== 'POST' || !/^application\/grpc(\+proto)?(;|$)/.test(type)) {
    stream.respond({ ':status': 415 }, { endStream: true });
    return;
  }
  const call = new AbortController();
  stream.once('close', () => call.abort(canceled('the call is over')));
  const timeoutMs = readTimeout(headers['grpc-timeout']);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => call.abort(timedOut('deadline exceeded')), Math.min(timeoutMs, maxTimer));
  let status: GrpcStatus = { code: grpcCode.ok, message: '' };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers(statusHeaders(status));
    // The caller may still be sending; nobody listens any more.
    stream.resume();
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  });
  try {
    const path = headers[':path'] ?? '';
    const handler = byPath.get(path);
    if (handler === undefined) throw notImplemented(`unknown method ${path}`);
    await Promise.race([handler.serve(messagesOn(stream, pairs), call.signal), ended(call.signal)]);
  } catch (error) {
    status = statusOfError(error);
  } finally {
    clearTimeout(timer);
    stream.end();
  }
}

/** The longest that a timer can be set to, in ms. */
const maxTimer = 2 ** 31 - 1;

/** Never resolves; throws the signal's reason when it ends. */
function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function messagesOn(stream: ServerHttp2Stream, pairs: readonly string[]): MessageStream<Uint8Array, Uint8Array> {
  return {
    metadata: readMetadata(pairs),
    received: receive(stream),
    async send(message) {
      if (!(await writeOn(stream, frame(message)))) throw canceled('the call is over');
    },
    // What ends a call on this side is its status, which follows when the handler returns.
    end: () => undefined,
  };
}

async function* receive(stream: ServerHttp2Stream): AsyncGenerator<Uint8Array> {
  try {
    yield* messagesIn(stream);
  } catch (error) {
    if (stream.destroyed || stream.aborted) throw canceled(`the call is over: ${messageOf(error)}`);
    throw error;
  }
  // A stream that is cut ends as one that is complete would.
  if (stream.aborted) throw canceled('the call is over');
}
