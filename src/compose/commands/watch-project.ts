import { labels } from '../plan/index.ts';
import type { ComposeContext } from './context.ts';
import { type LogRange, readLog } from './follow-logs.ts';

/** A container whose output is shown. */
export interface Attached {
  readonly id: string;
  /** With the project's name. */
  readonly name: string;
  readonly service: string;
}

/** What happens to the containers of a project while somebody looks on. */
export interface ProjectListener {
  line(container: Attached, line: string, stream: 'stdout' | 'stderr'): void | Promise<void>;
  /** A container has ended and will not be restarted by the engine. */
  exited(container: Attached, code: number): void;
  /** It has ended, and the engine starts it again. */
  restarting?(container: Attached, code: number): void;
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
  /** Containers that run, with their services. */
  readonly #running = new Map<string, string>();
  /** When each container ended last: a new start's output is what comes after. */
  readonly #lastExit = new Map<string, string>();
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
    const events = await this.#context.client.system.subscribe({
      filters: ['type=container', `label=${labels.project}=${this.#context.projectName}`, 'event=start', 'event=die'],
      signal: this.#end.signal,
    });
    const read = async (): Promise<void> => {
      for await (const { event } of events) {
        const attributes = event.Actor.Attributes ?? {};
        const service = attributes[labels.service] ?? '';
        if (attributes[labels.oneOff] === 'True') continue;
        const container = { id: event.Actor.ID, name: attributes.name ?? '', service };
        if (event.Action === 'start') {
          this.attach(container, { follow: true, since: this.#lastExit.get(container.id) ?? this.#opened });
        } else {
          this.#lastExit.set(container.id, nanoTime(event.timeNano));
          await this.#onExit(container, Number(attributes.exitCode ?? 0));
        }
      }
    };
    read().catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#failed(error);
    });
  }

  /** A container is about to be started, or is not after all: what whenIdle waits for. */
  readonly starts = {
    starting: ({ id, service }: { readonly id: string; readonly service: string }): void => {
      this.#running.set(id, service);
    },
    failed: (id: string): void => {
      this.#running.delete(id);
      this.#checkIdle();
    },
  };

  /** Shows a container that runs already, or has just been started. Doing it twice is harmless. */
  attach(container: Attached, range: LogRange): void {
    this.#running.set(container.id, container.service);
    if (!this.#options.wants(container.service) || this.#followed.has(container.id)) return;
    this.#followed.set(container.id, this.#follow(container, range));
  }

  async #follow(container: Attached, range: LogRange): Promise<void> {
    const context = { client: this.#context.client, signal: this.#end.signal };
    try {
      const { Config } = await this.#context.client.containers.inspect(container.id);
      await readLog(
        context,
        { id: container.id, tty: Config.Tty },
        {
          range: { ...range, timestamps: this.#options.timestamps },
          sink: (line, stream) => this.#options.listener.line(container, line, stream),
        },
      );
    } catch (error) {
      // A container that is gone has nothing more to say.
      this.#context.reporter.warn(`${container.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #onExit(container: Attached, code: number): Promise<void> {
    await this.#followed.get(container.id);
    this.#followed.delete(container.id);
    const state = await this.#context.client.containers.inspect(container.id).then(
      ({ State }) => State,
      () => undefined,
    );
    if (state?.Restarting === true || state?.Running === true) {
      this.#options.listener.restarting?.(container, code);
      return;
    }
    this.#running.delete(container.id);
    this.#options.listener.exited(container, code);
    this.#checkIdle();
  }

  #checkIdle(): void {
    const awaited = this.#awaited;
    if (awaited !== undefined && ![...this.#running.values()].some(awaited)) this.#idle();
  }

  /**
   * Resolves when no container of the services runs any more (of any, when not given); call it when all have been
   * started. A later call takes the place of an earlier one. Rejects when the engine goes away.
   */
  whenIdle(of: (service: string) => boolean = () => true): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#idle = resolve;
      this.#failed = reject;
      this.#awaited = of;
      this.#checkIdle();
    });
  }

  /** Waits for the output of containers that have ended, then stops listening. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.allSettled(this.#followed.values());
  }
}

/** An event's time as the logs call takes it; a little earlier, as the event's number is rounded. */
function nanoTime(timeNano: number): string {
  const micros = Math.floor(timeNano / 1000) - 1;
  return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}000`;
}
