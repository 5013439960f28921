import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach } from 'node:test';
import { TestRegistry } from './fixture.test.ts';

/** A way to the upstream that can be counted and broken. */
export class Gate {
  readonly seen: string[] = [];
  /** Answers all with this status instead, or only what the address matches; 0 passes. */
  status = 0;
  only = /^/;
  /** Cuts blob answers after so many bytes. */
  cutAfter = Number.POSITIVE_INFINITY;
  /** Keeps each request for so many ms before it goes on. */
  delay = 0;
  /** Changes a byte of blobs. */
  alter = false;
  readonly #server: Server;

  constructor(port: () => number) {
    this.#server = createServer((incoming, outgoing) => {
      this.seen.push(`${incoming.method} ${incoming.url}${incoming.headers.range ? ` ${incoming.headers.range}` : ''}`);
      if (this.status !== 0 && this.only.test(incoming.url ?? '')) {
        outgoing.writeHead(this.status).end();
        return;
      }
      const { method, url, headers } = incoming;
      const onward = request({ host: '127.0.0.1', port: port(), method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        const isBlob = method === 'GET' && (url ?? '').includes('/blobs/');
        let sent = 0;
        answer.on('data', (chunk: Buffer) => {
          if (isBlob && this.alter) chunk[0] = 0;
          const part = isBlob ? chunk.subarray(0, Math.max(0, this.cutAfter - sent)) : chunk;
          sent += part.length;
          outgoing.write(part);
          if (isBlob && sent >= this.cutAfter) outgoing.destroy();
        });
        answer.on('end', () => outgoing.end());
      });
      onward.on('error', () => outgoing.destroy());
      setTimeout(() => incoming.pipe(onward), this.delay);
    });
  }

  /** Passes all again and forgets what it saw. */
  reset(): void {
    Object.assign(this, { status: 0, only: /^/, delay: 0, cutAfter: Number.POSITIVE_INFINITY, alter: false });
    this.seen.length = 0;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A registry and a gate before it, for all tests of a suite; before each the gate is reset. */
export function gatedUpstream(): { readonly upstream: TestRegistry; readonly gate: Gate } {
  const gated = { gate: new Gate(() => gated.upstream.port) } as { upstream: TestRegistry; gate: Gate };
  before(async () => {
    gated.upstream = await TestRegistry.start();
    await gated.gate.start();
  });
  after(async () => {
    await gated.gate.stop();
    await gated.upstream[Symbol.asyncDispose]();
  });
  beforeEach(() => gated.gate.reset());
  return gated;
}
