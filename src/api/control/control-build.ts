import { canceled, conflict, type Digest, notFound, timedOut } from '#base';
import type { ControlSolve, GatewayReturn } from '#buildkit';
import { KeyedWaiters } from '../session/keyed-waiters.ts';
import { TraceFeed } from './trace-feed.ts';

/** How long calls that name a build wait for it to begin, in ms; clients send both at once. */
const patience = 5000;

/** Something to be built that its client has described; others may begin with its image. */
export class WantedImage {
  readonly #build: () => Promise<Digest>;
  #image: Promise<Digest> | undefined;

  constructor(build: () => Promise<Digest>) {
    this.#build = build;
  }

  /** Its image; built when it is asked for first. Throws what that failed with. */
  image(): Promise<Digest> {
    this.#image ??= this.#build();
    return this.#image;
  }
}

/** A build that a client runs by calls of its own; it lasts as long as the call that began it. */
export class ControlBuild {
  readonly question: ControlSolve;
  /** Ends with the call that began it. */
  readonly signal: AbortSignal;
  readonly feed = new TraceFeed();
  /** By the ids that the client knows them by. */
  readonly wanted = new Map<string, WantedImage>();
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
  want(id: string): WantedImage {
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

  /** What another build under way wants, by its id. Throws `not-found`. */
  wanted(id: string): WantedImage {
    for (const build of this.#builds.values()) {
      const found = build.wanted.get(id);
      if (found !== undefined) return found;
    }
    throw notFound(`no build under way has a result ${id}`);
  }
}
