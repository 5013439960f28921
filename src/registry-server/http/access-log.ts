import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Metrics } from '../metrics.ts';

/** One line of the access log: what was asked, by whom, and how it ended. */
export interface AccessEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly status: number;
  /** True when the client went away before the end of the answer. */
  readonly aborted: boolean;
  readonly durationMs: number;
  /** Bytes on the wire for this request, headers included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly address: string | undefined;
  readonly user: string | undefined;
  readonly agent: string | undefined;
}

/** What is known of a request only while it is handled. */
export interface RequestNotes {
  user: string | undefined;
  /** Kind of route, for the metrics. */
  route: string;
}

/** What each connection had moved at the end of its last request. */
const counted = new WeakMap<Socket, { read: number; written: number }>();

/** Counts a request, and tells `write` of it, when its response has ended in whatever way. */
export function watchRequest(
  request: IncomingMessage,
  response: ServerResponse,
  to: { metrics: Metrics; write: ((entry: AccessEntry) => void) | undefined },
): RequestNotes {
  const notes: RequestNotes = { user: undefined, route: 'other' };
  const { socket } = request;
  const started = performance.now();
  // Since the request before on this connection: reading ahead, the socket has counted part of this one already.
  const before = counted.get(socket) ?? { read: 0, written: 0 };
  const url = request.url ?? '';
  response.once('close', () => {
    const durationMs = performance.now() - started;
    const method = request.method ?? '';
    const status = response.headersSent ? response.statusCode : 499;
    const now = { read: socket.bytesRead, written: socket.bytesWritten };
    counted.set(socket, now);
    const entry: AccessEntry = {
      time: new Date().toISOString(),
      method,
      url: url.slice(0, 2000),
      status,
      aborted: !response.writableFinished,
      durationMs: Math.round(durationMs * 10) / 10,
      bytesIn: now.read - before.read,
      bytesOut: now.written - before.written,
      address: socket.remoteAddress,
      user: notes.user,
      agent: request.headers['user-agent']?.slice(0, 200),
    };
    to.write?.(entry);
    count(to.metrics, entry, notes.route);
  });
  return notes;
}

const knownMethods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE']);

function count(metrics: Metrics, entry: AccessEntry, route: string): void {
  const method = knownMethods.has(entry.method) ? entry.method : 'other';
  const labels = { method, route, status: String(entry.status) };
  metrics.count('registry_requests_total', 'Requests answered.', { labels });
  metrics.count('registry_received_bytes_total', 'Bytes received.', { by: entry.bytesIn });
  metrics.count('registry_sent_bytes_total', 'Bytes sent.', { by: entry.bytesOut });
  metrics.observe({ method, route }, entry.durationMs / 1000);
}
