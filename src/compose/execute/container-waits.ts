import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerState } from '#api-types';
import { canceled, conflict, messageOf, unavailable } from '#base';
import type { Client } from '#client';
import { labels, type WaitCondition } from '../plan/index.ts';

/** How a wait that succeeded ended. */
export type WaitOutcome = 'Healthy' | 'Exited' | 'Started';

/** How long, in ms, a container without a health check must have run to be believed: as docker compose, which looks twice a second. */
const shortest = 500;

interface Listener {
  readonly id: string;
  readonly wake: () => void;
}

function judge(state: ContainerState, condition: WaitCondition, name: string): WaitOutcome | undefined {
  const ended = state.Status === 'exited' || state.Status === 'dead';
  if (condition === 'service_completed_successfully') return ended ? 'Exited' : undefined;
  if (ended) throw conflict(`container ${name} exited (${state.ExitCode})`);
  const health = state.Health?.Status ?? 'none';
  if (health === 'healthy') return 'Healthy';
  if (health === 'unhealthy') throw conflict(`container ${name} is unhealthy`);
  if (health === 'none') {
    if (condition === 'service_healthy') throw conflict(`container ${name} has no healthcheck configured`);
    return state.Status === 'running' ? 'Healthy' : undefined;
  }
  return undefined;
}

/**
 * Waits for containers of a project to become healthy or to end, woken by the engine's events: one stream for all waits,
 * opened at the first. {@link ContainerWaits.close} ends it.
 */
export class ContainerWaits {
  readonly #client: Client;
  readonly #project: string;
  readonly #listeners = new Set<Listener>();
  readonly #end = new AbortController();
  #listening: Promise<void> | undefined;
  #fault: unknown;

  constructor(client: Client, project: string) {
    this.#client = client;
    this.#project = project;
  }

  /**
   * Resolves when the condition holds. Throws `conflict` with docker compose's texts when it never will,
   * `canceled` when the signal fires.
   */
  async wait(
    container: { readonly id: string; readonly name: string },
    condition: WaitCondition,
    signal?: AbortSignal,
  ): Promise<{ outcome: WaitOutcome; exitCode: number }> {
    const look = () =>
      this.until(
        container,
        (state) => {
          const outcome = judge(state, condition, container.name);
          return outcome === undefined ? undefined : { outcome, state };
        },
        signal,
      );
    let { outcome, state } = await look();
    if (condition === 'running_or_healthy' && state.Health === undefined) {
      const age = Date.now() - Date.parse(state.StartedAt);
      if (age < shortest) {
        await delay(Math.min(shortest, shortest - age), undefined, signal ? { signal } : {}).catch(() => undefined);
        ({ outcome, state } = await look());
      }
    }
    return { outcome, exitCode: state.ExitCode };
  }

  /** Looks at a container's state now and at each of its events until `judged` gives something; its throw ends it. */
  async until<T>(
    container: { readonly id: string; readonly name: string },
    judged: (state: ContainerState, restarts: number) => T | undefined,
    signal?: AbortSignal,
  ): Promise<T> {
    let wake = (): void => undefined;
    const listener: Listener = { id: container.id, wake: () => wake() };
    this.#listeners.add(listener);
    signal?.addEventListener('abort', listener.wake);
    try {
      this.#listening ??= this.#listen();
      await this.#listening;
      for (;;) {
        // Made before the look, so that an event between look and wait is not lost.
        const event = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (signal?.aborted) throw canceled(`waiting for container ${container.name} was given up`);
        if (this.#fault !== undefined) throw this.#fault;
        const { State, RestartCount } = await this.#client.containers.inspect(container.id);
        const outcome = judged(State, RestartCount);
        if (outcome !== undefined) return outcome;
        await event;
      }
    } finally {
      this.#listeners.delete(listener);
      signal?.removeEventListener('abort', listener.wake);
    }
  }

  /** Ends the stream of events. */
  close(): void {
    this.#end.abort();
  }

  /** Resolves when the engine has accepted the subscription. */
  async #listen(): Promise<void> {
    const events = await this.#client.system.subscribe({
      filters: ['type=container', `label=${labels.project}=${this.#project}`],
      signal: this.#end.signal,
    });
    const read = async (): Promise<void> => {
      for await (const { event } of events) {
        for (const listener of this.#listeners) if (event.Actor.ID === listener.id) listener.wake();
      }
    };
    const lost = (why: string): void => {
      if (!this.#end.signal.aborted)
        this.#fault = unavailable(`the engine went away while containers were waited for${why}`);
      for (const listener of this.#listeners) listener.wake();
    };
    read().then(
      () => lost(''),
      (error: unknown) => lost(`: ${messageOf(error)}`),
    );
  }
}
