import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { internal } from '#base';
import { fault } from '../faults.ts';
import type { PasswordAnswer, PasswordQuestion } from './password-worker.ts';

/** Most checks that wait; further ones are told to come back. A check takes 50-500 ms by design of the hashes. */
const maxWaiting = 64;
/** How long a correct password is remembered, ms: clients send it with every request. */
const remember = 5 * 60_000;
const maxRemembered = 1000;

interface Waiting {
  resolve(correct: boolean): void;
  reject(error: Error): void;
}

/**
 * Compares passwords with bcrypt and argon2 hashes on a thread of its own, one after another. Correct ones are
 * remembered for a while as a keyed hash, so that only the first request of a client pays.
 */
export class PasswordChecker {
  readonly #key = randomBytes(32);
  readonly #remembered = new Map<string, number>();
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 1;

  /** True for the right password. Throws TOOMANYREQUESTS when too many checks wait. */
  async check(password: string, hash: string): Promise<boolean> {
    const token = createHmac('sha256', this.#key).update(`${hash}\0${password}`).digest('base64');
    const until = this.#remembered.get(token);
    if (until !== undefined && until > Date.now()) return true;
    const correct = await this.#ask(password, hash);
    if (!correct) return false;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size >= maxRemembered) this.#remembered.delete(oldest);
    this.#remembered.delete(token);
    this.#remembered.set(token, Date.now() + remember);
    return true;
  }

  /** Ends the thread; checks under way fail. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(password: string, hash: string): Promise<boolean> {
    if (this.#waiting.size >= maxWaiting) {
      throw fault('TOOMANYREQUESTS', 'too many logins are being checked; try again in a few seconds');
    }
    this.#worker ??= this.#start();
    const question: PasswordQuestion = { id: this.#next++, password, hash };
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject });
      this.#worker?.postMessage(question);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./password-worker.js', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, correct }: PasswordAnswer) => {
      this.#waiting.get(id)?.resolve(correct);
      this.#waiting.delete(id);
    });
    const fail = (error: Error) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail(internal('the password thread ended')));
    return worker;
  }
}
