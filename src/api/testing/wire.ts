import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';

/** What came back over HTTP. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** One request over a unix socket; a body is sent as JSON. */
export function ask(
  socketPath: string,
  path: string,
  options: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...options.headers,
    };
    const sent = request({ socketPath, path, method: options.method ?? 'GET', headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** Sends bytes and returns all that came back once the server has closed. */
export async function raw(socketPath: string, bytes: string, options: { halfClose?: boolean } = {}): Promise<Buffer> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(bytes);
  if (options.halfClose ?? true) socket.end();
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(chunks);
}

/** Headers of a request that takes its connection over. */
export const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
/** A chunk of output as attach without a terminal frames it, as latin1 text. */
export const frame = (stream: number, text: string) =>
  Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]).toString('latin1');
