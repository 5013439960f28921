import { Agent, request } from 'node:http';

/** How the requests of a {@link RequestStream} went. */
export interface RequestCounts {
  answered: number;
  /** Sent again on a new connection, because the server had closed the old one before it answered (RFC 9112, 9.3.1). */
  repeated: number;
  /** What went wrong, message to count. */
  readonly failures: Map<string, number>;
  /** Answers, text to count. */
  readonly answers: Map<string, number>;
}

/** Sends GET requests at an even rate, every other one on a new connection, the rest on connections that are kept. */
export class RequestStream {
  readonly counts: RequestCounts = { answered: 0, repeated: 0, failures: new Map(), answers: new Map() };
  readonly #url: string;
  readonly #kept = new Agent({ keepAlive: true, scheduling: 'fifo', maxSockets: 32 });
  readonly #fresh = new Agent({ keepAlive: false });
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  constructor(url: string, perSecond: number) {
    this.#url = url;
    const began = Date.now();
    this.#timer = setInterval(() => {
      const due = Math.floor(((Date.now() - began) / 1000) * perSecond);
      // What a busy machine delayed is caught up with, but never as one burst.
      for (const until = Math.min(due, this.#sent + 50); this.#sent < until; this.#sent++) this.#send(this.#sent);
      if (this.#sent < due - 50) this.#sent = due - 50;
    }, 10);
  }

  /** Ends the stream; resolves when the last answer is there. */
  async end(): Promise<RequestCounts> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#kept.destroy();
    this.#fresh.destroy();
    return this.counts;
  }

  #send(number: number): void {
    const sent = this.#ask(number % 2 === 0 ? this.#kept : this.#fresh).finally(() => this.#open.delete(sent));
    this.#open.add(sent);
  }

  async #ask(agent: Agent): Promise<void> {
    const { answers, failures } = this.counts;
    try {
      const text = await new Promise<string>((resolve, reject) => {
        const call = request(this.#url, { agent, timeout: 20_000 }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            body += chunk;
          });
          response.on('error', reject).on('end', () => resolve(`${response.statusCode} ${body}`));
        });
        call.on('timeout', () => call.destroy(new Error('no answer in 20 s')));
        call.on('error', (error: NodeJS.ErrnoException) => {
          reject(call.reusedSocket && error.code === 'ECONNRESET' ? new ClosedMeanwhile() : error);
        });
        call.end();
      });
      this.counts.answered += 1;
      answers.set(text, (answers.get(text) ?? 0) + 1);
    } catch (error) {
      if (error instanceof ClosedMeanwhile) {
        this.counts.repeated += 1;
        return this.#ask(this.#fresh);
      }
      const text = String(error);
      failures.set(text, (failures.get(text) ?? 0) + 1);
    }
  }
}

class ClosedMeanwhile extends Error {}
