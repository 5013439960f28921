import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { clientGone } from '../request/context.ts';

/** Bytes waiting for a slow client above which counts of progress are dropped. */
const congestion = 256 * 1024;

/** A response body written piece by piece. */
export interface StreamWriter {
  /** Aborts when the client goes. */
  readonly signal: AbortSignal;
  /** Sends; resolves when the client's side has room for more, or is gone. */
  write(data: string | Uint8Array): Promise<void>;
  /** Sends without waiting: for callbacks that cannot wait and write little. */
  push(data: string): void;
  /** True while the client has left so much unread that what can be left out should be. */
  readonly congested: boolean;
  end(): void;
}

/** Sends status and headers at once and returns the writer; the route must not use `reply` afterwards. */
export function startStream(reply: FastifyReply, contentType: string, status = 200): StreamWriter {
  const response = reply.raw;
  const signal = clientGone(reply);
  const headers = reply.getHeaders();
  reply.hijack();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.writeHead(status, { 'Content-Type': contentType });
  response.flushHeaders();
  return {
    signal,
    get congested() {
      return response.writableLength > congestion;
    },
    push: (data) => {
      if (!signal.aborted) response.write(data);
    },
    write: (data) => (signal.aborted || response.write(data) ? Promise.resolve() : drained(response)),
    end: () => {
      response.end();
    },
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.on('drain', settle).on('close', settle);
  });
}
