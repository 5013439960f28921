import type { Duplex } from 'node:stream';
import { invalid } from '#base';

/** How one message becomes bytes (protobuf) and back. `decode` throws `invalid` for bytes that are no such message. */
export interface Codec<T> {
  encode(message: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** One gRPC method: the path that names it, `/package.Service/Method`, and its messages. */
export interface Method<Question, Answer> {
  readonly path: string;
  readonly question: Codec<Question>;
  readonly answer: Codec<Answer>;
}

/** Headers of a call besides gRPC's own; keys are lower case, values may repeat. */
export type Metadata = Readonly<Record<string, readonly string[]>>;

/** A call on which both ends send as they like. */
export interface MessageStream<Received, Sent> {
  readonly metadata: Metadata;
  /**
   * Messages in the order sent; ends when the other end has sent all. Throws what the other end failed with (kinds of the
   * domain for gRPC codes), `canceled` when the call was ended here. Read once.
   */
  readonly received: AsyncIterable<Received>;
  /** Resolves when there is room for the next message. Throws when the call is over. */
  send(message: Sent): Promise<void>;
  /** This end has sent all. */
  end(): void;
}

/** What is called with. */
export interface CallOptions {
  readonly metadata?: Metadata;
  readonly signal?: AbortSignal;
  /** After how many milliseconds the call fails as `timeout`; the other end is told. */
  readonly timeoutMs?: number;
}

/** The end of a connection that calls. */
export interface GrpcCaller {
  /** One question, one answer. Throws kinds of the domain for gRPC codes, `unavailable` when the connection is over. */
  ask<Question, Answer>(method: Method<Question, Answer>, question: Question, options?: CallOptions): Promise<Answer>;
  /** Opens a call that streams in both directions. */
  open<Question, Answer>(method: Method<Question, Answer>, options?: CallOptions): MessageStream<Answer, Question>;
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  /** Ends the connection and with it all calls. */
  close(): void;
}

/** What is known of a call beside its messages; `signal` ends with the call, for whatever reason. */
export interface Call {
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
}

/**
 * Answers one method, messages as bytes: made by {@link answering} or {@link streaming}. Errors thrown go to the caller
 * with the gRPC code of their kind; a handler that returns ends the call well.
 */
export interface Handler {
  /** `/package.Service/Method`. */
  readonly path: string;
  serve(stream: MessageStream<Uint8Array, Uint8Array>, signal: AbortSignal): Promise<void>;
}

/** Handles calls of one question and one answer. */
export function answering<Question, Answer>(
  method: Method<Question, Answer>,
  answer: (question: Question, call: Call) => Promise<Answer>,
): Handler {
  return {
    path: method.path,
    async serve(stream, signal) {
      for await (const bytes of stream.received) {
        const given = await answer(method.question.decode(bytes), { metadata: stream.metadata, signal });
        await stream.send(method.answer.encode(given));
        return;
      }
      throw invalid(`call of ${method.path} without a question`);
    },
  };
}

/** Handles calls on which both ends send as they like. */
export function streaming<Question, Answer>(
  method: Method<Question, Answer>,
  serve: (stream: MessageStream<Question, Answer>, signal: AbortSignal) => Promise<void>,
): Handler {
  return {
    path: method.path,
    serve: (stream, signal) => serve(typedStream(stream, { received: method.question, sent: method.answer }), signal),
  };
}

/** A stream of bytes seen as one of messages. */
export function typedStream<Received, Sent>(
  stream: MessageStream<Uint8Array, Uint8Array>,
  codecs: { readonly received: Codec<Received>; readonly sent: Codec<Sent> },
): MessageStream<Received, Sent> {
  return {
    metadata: stream.metadata,
    received: decoded(stream.received, codecs.received),
    send: (message) => stream.send(codecs.sent.encode(message)),
    end: () => stream.end(),
  };
}

async function* decoded<T>(source: AsyncIterable<Uint8Array>, codec: Codec<T>): AsyncGenerator<T> {
  for await (const bytes of source) yield codec.decode(bytes);
}

/** The end of a connection that is called. */
export interface GrpcServing {
  readonly closed: Promise<void>;
  close(): void;
}

/** Over which connections gRPC runs here: taken over from HTTP/1.1, plain. */
export type Connection = Duplex;
