import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What a prober is told. `serve` answers every client with the client's address. */
export type Order =
  | { readonly id: number; readonly kind: 'serve'; readonly ports: readonly number[] }
  | {
      readonly id: number;
      readonly kind: 'ask';
      readonly protocol: 'tcp' | 'udp';
      readonly host: string;
      readonly port: number;
    };

/** What a prober says; empty when nobody answered. */
export interface Answer {
  readonly id: number;
  said: string;
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

const program = fileURLToPath(new URL('prober.js', import.meta.url));

/** A process in somebody's network namespace that serves and asks there. Ends on dispose. */
export class Probe implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (said: string) => void>();
  #next = 0;

  /** `netns`: path of the namespace; the own one if left out. */
  constructor(netns?: string) {
    const command = [process.execPath, program];
    const [file = '', ...args] = netns === undefined ? command : ['nsenter', `--net=${netns}`, ...command];
    this.#child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer.said);
      this.#waiting.delete(answer.id);
    });
  }

  /** Answers on these TCP and UDP ports, both families, with the client's address. */
  async serve(...ports: number[]): Promise<void> {
    await this.#order({ kind: 'serve', ports });
  }

  /** What the server says, that is, whom it sees; empty when none is reached. */
  ask(protocol: 'tcp' | 'udp', host: string, port: number): Promise<string> {
    return this.#order({ kind: 'ask', protocol, host, port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  #order(order: Unnumbered<Order>): Promise<string> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ ...order, id });
    });
  }
}

/** Makes probes that end after the tests of the suite; call it above what makes the namespaces. */
export function probesForTests(): (netns: string) => Probe {
  const probes: Probe[] = [];
  after(async () => {
    for (const probe of probes) await probe[Symbol.asyncDispose]();
  });
  return (netns) => {
    const probe = new Probe(netns);
    probes.push(probe);
    return probe;
  };
}
