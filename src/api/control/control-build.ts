import { canceled, conflict, notFound, timedOut } from '#base';
import type { ControlSolve, GatewayReturn, GatewaySolve } from '#buildkit';
import { KeyedWaiters } from '../session/keyed-waiters.ts';
import { TraceFeed } from './trace-feed.ts';

/** How long calls that name a build wait for it to begin, in ms; clients send both at once. */
const patience = 5000;

/** A build that a client runs by calls of its own; it lasts as long as the call that began it. */
export class ControlBuild {
  readonly question: ControlSolve;
  /** Ends with the call that began it. */
  readonly signal: AbortSignal;
  readonly feed = new TraceFeed();
  /** What was asked for, by the ids that were given for it. */
  readonly wanted = new Map<string, GatewaySolve>();
  /** Resolves when the client's part has come to its end. */
  readonly returned: Promise<GatewayReturn>;
  #settle: (result: GatewayReturn) => void = () => undefined;

  constructor(question: ControlSolve, signal: AbortSignal) {
    this.question = question;
    this.signal = signal;
    this.returned = new Promise((resolve, reject) => {
      this.#settle = resolve;
      signal.addEventListener('abort', () => reject(canceled('context canceled')), { once: true });
    });
    // Whoever waits for it hears of it; a build that ended otherwise has nobody who does.
    this.returned.catch(() => undefined);
  }

  /** The client's part has come to its end; later ones are not heard. */
  finish(result: GatewayReturn): void {
    this.#settle(result);
  }

  /** What an id was given for. Throws `not-found`. */
  want(id: string): GatewaySolve {
    const found = this.wanted.get(id);
    if (found === undefined) throw notFound(`no such ref: ${id}`);
    return found;
  }
}

/** Builds that are under way, by the names that their clients gave them. */
export class ControlBuilds {
  readonly #builds = new Map<string, ControlBuild>();
  readonly #waiters = new KeyedWaiters<ControlBuild>();

  /** Notes a build until `close`. Throws `conflict` for a name in use. */
  open(question: ControlSolve, signal: AbortSignal): ControlBuild {
    const { Ref } = question;
    if (this.#builds.has(Ref)) throw conflict(`build ${Ref} already exists`);
    const build = new ControlBuild(question, signal);
    this.#builds.set(Ref, build);
    this.#waiters.give(Ref, build);
    return build;
  }

  close(build: ControlBuild): void {
    build.feed.end();
    this.#builds.delete(build.question.Ref);
  }

  /** The build of that name; one that has not begun is waited for. Throws `timeout`. */
  async get(ref: string, signal: AbortSignal): Promise<ControlBuild> {
    const late = () => timedOut(`no such job ${ref}`);
    return this.#builds.get(ref) ?? this.#waiters.wait(ref, { signal, ms: patience, late });
  }
}
