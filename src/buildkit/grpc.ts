import type { Duplex } from 'node:stream';

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

/** Answers one method; `signal` ends with the call. Errors thrown go to the caller with the gRPC code of their kind. */
export type Handler =
  | {
      readonly kind: 'ask';
      readonly method: Method<never, never>;
      answer(question: never, call: { readonly metadata: Metadata; readonly signal: AbortSignal }): Promise<unknown>;
    }
  | {
      readonly kind: 'stream';
      readonly method: Method<never, never>;
      serve(stream: MessageStream<never, never>, signal: AbortSignal): Promise<void>;
    };

/** The end of a connection that is called. */
export interface GrpcServing {
  readonly closed: Promise<void>;
  close(): void;
}

/** Over which connections gRPC runs here: taken over from HTTP/1.1, plain. */
export type Connection = Duplex;
