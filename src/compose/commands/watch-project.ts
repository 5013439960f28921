import { setTimeout as delay } from 'node:timers/promises';
import type { EventMessage } from '#api-types';
import { isBerthError } from '#base';
import { observeContainers } from '../execute/index.ts';
import { labels } from '../plan/index.ts';
import type { ComposeContext } from './context.ts';
import { apiTime, type LogRange, lastStamp, readAttached, readLog } from './follow-logs.ts';

/** How long, in ms, a container that somebody else has ended may take to be started again: a restart is a stop and a start. */
const patience = 1000;
/** Pause between attempts to reach an engine that has gone away, and how long it is waited for, both in ms. */
const pause = 250;
const absence = 60_000;

/** A container whose output is shown. */
export interface Attached {
  readonly id: string;
  /** With the project's name. */
  readonly name: string;
  readonly service: string;
}

type EngineEvent = { readonly event: EventMessage; readonly line: string };

/** What happens to the containers of a project while somebody looks on. */
export interface ProjectListener {
  line(container: Attached, line: string, stream: 'stdout' | 'stderr'): void | Promise<void>;
  /** A container has ended and will not be restarted by the engine. */
  exited(container: Attached, code: number): void;
  /** It has ended, and the engine starts it again. */
  restarting?(container: Attached, code: number): void;
  /** Another takes its place, under the same name. */
  replaced?(container: { readonly name: string; readonly service: string }): void;
}

/** Options of {@link ProjectWatch}. */
export interface ProjectWatchOptions {
  readonly listener: ProjectListener;
  /** Whether a service's output is wanted. */
  readonly wants: (service: string) => boolean;
  readonly timestamps: boolean;
}

/**
 * Shows what the containers of a project write, from when they start to when they end, through restarts and
 * replacements; it is told of starts and ends by the engine's events.
 */
export class ProjectWatch {
  readonly #context: ComposeContext;
  readonly #options: ProjectWatchOptions;
  readonly #end = new AbortController();
  readonly #followed = new Map<string, Promise<void>>();
  /** Containers that run or are about to, with their services. */
  readonly #running = new Map<string, string>();
  /** Where each container's output ended last: a new start's is what comes after. */
  readonly #lastExit = new Map<string, string>();
  /** Containers that somebody has sent a signal. */
  readonly #signalled = new Set<string>();
  /** Containers that have ended by a signal and may be started again at once. */
  readonly #returning = new Map<string, NodeJS.Timeout>();
  #restartsCount = true;
  #opened = '';
  #idle: () => void = () => undefined;
  #failed: (error: unknown) => void = () => undefined;
  /** Whose containers are waited for, once everything that shall be started has been. */
  #awaited: ((service: string) => boolean) | undefined;

  constructor(context: ComposeContext, options: ProjectWatchOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Begins to listen; resolves when the engine has accepted. */
  async open(): Promise<void> {
    this.#opened = nanoTime(Date.now() * 1e6);
    this.#listen(await this.#subscribe(this.#opened)).catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#failed(error);
    });
  }

  #subscribe(since: string): Promise<AsyncIterable<EngineEvent>> {
    const actions = ['create', 'destroy', 'kill', 'start', 'die'].map((action) => `event=${action}`);
    return this.#context.client.system.subscribe({
      since,
      filters: ['type=container', `label=${labels.project}=${this.#context.projectName}`, ...actions],
      signal: this.#end.signal,
    });
  }

  async #listen(first: AsyncIterable<EngineEvent>): Promise<void> {
    let seen = 0n;
    for (let events = first, known = seen; ; known = seen, events = await this.#reconnect(seen)) {
      try {
        for await (const { event, line } of events) {
          const time = exactTime(line);
          if (time <= known) continue;
          seen = time;
          if (event.Actor.Attributes?.[labels.oneOff] !== 'True') await this.#onEvent(event);
        }
      } catch (error) {
        if (isBerthError(error)) throw error;
      }
      if (this.#end.signal.aborted) return;
    }
  }

  /** Containers outlive the engine's process: when it comes back one looks on. Throws what the last attempt did. */
  async #reconnect(seen: bigint): Promise<AsyncIterable<EngineEvent>> {
    const lost = Date.now();
    this.#context.reporter.warn(
      'The engine has gone away; containers may run on without it. Waiting for it to come back',
    );
    for (;;) {
      await delay(pause, undefined, { signal: this.#end.signal });
      try {
        const events = await this.#subscribe(seen === 0n ? nanoTime(lost * 1e6) : apiTime(seen));
        await this.#followAgain(nanoTime(lost * 1e6));
        return events;
      } catch (error) {
        if (Date.now() - lost > absence || this.#end.signal.aborted) throw error;
      }
    }
  }

  async #followAgain(since: string): Promise<void> {
    await Promise.all(this.#followed.values());
    this.#followed.clear();
    for (const { id, name, service, state } of await observeContainers(
      this.#context.client,
      this.#context.projectName,
    )) {
      if (this.#running.has(id) && state === 'running') this.attach({ id, name, service }, { follow: true, since });
    }
  }

  async #onEvent({ Action, Actor, timeNano }: EventMessage): Promise<void> {
    const attributes = Actor.Attributes ?? {};
    const container = { id: Actor.ID, name: attributes.name ?? '', service: attributes[labels.service] ?? '' };
    const { id } = container;
    switch (Action) {
      case 'create':
        // It takes the place of one that is about to end.
        if (attributes[labels.replace] === undefined) return;
        this.#running.set(id, container.service);
        this.#options.listener.replaced?.({ ...container, name: container.name.replace(/^[0-9a-f]{12}_/, '') });
        return;
      case 'destroy':
        return this.#leave(id);
      case 'kill':
        this.#signalled.add(id);
        return;
      case 'start':
        clearTimeout(this.#returning.get(id));
        this.#returning.delete(id);
        this.#signalled.delete(id);
        this.attach(container, { follow: true, since: this.#lastExit.get(id) ?? this.#opened });
        return;
      case 'die':
        return this.#onExit(container, { code: Number(attributes.exitCode ?? 0), at: nanoTime(timeNano) });
    }
  }

  /** A container is about to be started, or is not after all: what whenIdle waits for. */
  readonly starts = {
    starting: async ({ id, service }: { readonly id: string; readonly service: string }): Promise<void> => {
      this.#running.set(id, service);
      const { project } = this.#context;
      if (!this.#options.wants(service) || project?.services[service]?.logging?.driver !== 'none') return;
      // Nobody keeps what it writes: who is not there in time misses it.
      const { Name, Config } = await this.#context.client.containers.inspect(id);
      const container = { id, name: Name.replace(/^\//, ''), service };
      const attached = await readAttached(this.#listening, { id, tty: Config.Tty }, this.#sinkOf(container));
      this.#follow(container, () => attached.ended);
    },
    failed: (id: string): void => this.#leave(id),
  };

  /** Shows a container that runs already, or has just been started. Doing it twice is harmless. */
  attach(container: Attached, range: LogRange): void {
    this.#running.set(container.id, container.service);
    if (!this.#options.wants(container.service) || this.#followed.has(container.id)) return;
    this.#follow(container, () => this.#read(container, range));
  }

  get #listening(): Pick<ComposeContext, 'client' | 'signal'> {
    return { client: this.#context.client, signal: this.#end.signal };
  }

  #sinkOf(container: Attached): (line: string, stream: 'stdout' | 'stderr') => void | Promise<void> {
    return (line, stream) => this.#options.listener.line(container, line, stream);
  }

  #follow(container: Attached, read: () => Promise<void>): void {
    const reading = read().catch((error: unknown) => {
      // A container that is gone has nothing more to say; of an engine that is gone the events tell.
      if (!isBerthError(error)) return;
      this.#context.reporter.warn(`${container.name}: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#followed.set(container.id, reading);
  }

  async #read(container: Attached, range: LogRange): Promise<void> {
    const { Config } = await this.#context.client.containers.inspect(container.id);
    const target = { id: container.id, tty: Config.Tty };
    const sink = this.#sinkOf(container);
    try {
      await readLog(this.#listening, target, { range: { ...range, timestamps: this.#options.timestamps }, sink });
    } catch (error) {
      // Its log driver keeps nothing that could be read.
      if (!isBerthError(error, 'not-implemented')) throw error;
      await (await readAttached(this.#listening, target, sink)).ended;
    }
  }

  async #onExit(container: Attached, { code, at }: { code: number; at: string }): Promise<void> {
    const { client } = this.#context;
    const { id } = container;
    const followed = this.#followed.get(id);
    await followed;
    this.#followed.delete(id);
    // The last lines may be stamped by a finer clock than the exit, and so after it.
    const stamp = followed === undefined ? undefined : await lastStamp(this.#listening, id, at);
    const state = await client.containers.inspect(id).then(
      ({ State }) => State,
      () => undefined,
    );
    const again = state?.Restarting === true || state?.Running === true;
    // One that runs again already may have written what was found.
    this.#lastExit.set(id, state?.Running === true && !state.Restarting ? at : (stamp ?? at));
    if (again) {
      this.#options.listener.restarting?.(container, code);
      return;
    }
    const wasSignalled = this.#signalled.delete(id);
    if (wasSignalled && state !== undefined && this.#restartsCount) {
      this.#returning.set(
        id,
        setTimeout(() => this.#leave(id), patience),
      );
    } else this.#running.delete(id);
    this.#options.listener.exited(container, code);
    this.#checkIdle();
  }

  /** A container does not run any more, or will not. */
  #leave(id: string): void {
    clearTimeout(this.#returning.get(id));
    this.#returning.delete(id);
    this.#running.delete(id);
    this.#checkIdle();
  }

  #checkIdle(): void {
    const awaited = this.#awaited;
    if (awaited !== undefined && ![...this.#running.values()].some(awaited)) this.#idle();
  }

  /**
   * Resolves when no container of the services runs any more (of any, when not given) and none is about to; call it when
   * all have been started. A later call takes the place of an earlier one. Rejects when the engine goes away.
   */
  whenIdle(of: (service: string) => boolean = () => true): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#idle = resolve;
      this.#failed = reject;
      this.#awaited = of;
      this.#checkIdle();
    });
  }

  /** From now on whoever ends does not come back: all are stopped. */
  expectNoRestarts(): void {
    this.#restartsCount = false;
    for (const id of [...this.#returning.keys()]) this.#leave(id);
  }

  /** Waits for the output of containers that have ended, then stops listening. */
  async close(): Promise<void> {
    for (const timer of this.#returning.values()) clearTimeout(timer);
    this.#end.abort();
    await Promise.allSettled(this.#followed.values());
  }
}

/** An event's time to the nanosecond, from the text of its line: as a number it would be rounded. */
function exactTime(line: string): bigint {
  return BigInt(/"timeNano":\s*(\d+)/.exec(line)?.[1] ?? 0);
}

/** An event's time as the logs call takes it; a little earlier, as the event's number is rounded. */
function nanoTime(timeNano: number): string {
  const micros = Math.floor(timeNano / 1000) - 1;
  return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}000`;
}
