import { asActor, conflict, type Logger, messageOf, notModified } from '#base';
import type { ExitStatus, Task } from '#runtime';
import type { EventPublisher } from '../../events/events.ts';
import type { HealthMonitor } from '../health/health-monitor.ts';
import { isUp, type LiveContainer } from '../live-container.ts';
import { type LaunchDependencies, launch } from '../start/launch.ts';
import { announceNetworks } from '../start/open-network.ts';
import { describeStartFailure } from '../start/start-failure.ts';
import type { BackgroundWork } from './background-work.ts';
import { type DisposeDependencies, dispose } from './dispose.ts';
import { type ReleaseDependencies, releaseRun } from './release.ts';
import { restartDelay } from './restart-policy.ts';

/** What supervision needs. */
export interface SupervisorDependencies extends LaunchDependencies, ReleaseDependencies, DisposeDependencies {
  readonly networks: LaunchDependencies['networks'];
  readonly hostMounts: LaunchDependencies['hostMounts'];
  readonly volumes: LaunchDependencies['volumes'] & DisposeDependencies['volumes'];
  readonly secrets: LaunchDependencies['secrets'] & DisposeDependencies['secrets'];
  readonly background: BackgroundWork;
  readonly health: HealthMonitor;
  readonly logger: Logger;
}

interface PendingRestart {
  readonly delay: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Watches over the processes of all containers: starts them, records how they end, restarts them by their policy and
 * removes those that asked for it. Exits arrive by push; nothing here polls.
 */
export class Supervisor {
  readonly #deps: SupervisorDependencies;
  readonly #restarts = new Map<LiveContainer, PendingRestart>();
  /** Delay before the current run of a restarted container, ms. */
  readonly #lastDelay = new WeakMap<LiveContainer, number>();
  #stopped = false;

  constructor(deps: SupervisorDependencies) {
    this.#deps = deps;
  }

  /** Starts for a user: counters of the restart policy begin anew. `not-modified` when it runs. */
  start(container: LiveContainer): Promise<void> {
    return this.#deps.registry.exclusively(container, async () => {
      const { status } = container.state;
      if (container.removing) throw conflict('container is marked for removal and cannot be started');
      if (status === 'paused') throw conflict('cannot start a paused container, try unpause instead');
      if (container.task !== undefined) throw notModified(`container ${container.id} is already running`);
      this.#forgetRestart(container);
      this.#lastDelay.delete(container);
      await this.#launch(container, { restartCount: 0 });
    });
  }

  /** Takes over a process that an earlier daemon started. */
  adopt(container: LiveContainer, task: Task): void {
    container.task = task;
    this.#deps.rootfs.adopt(container.id);
    this.#watch(container, task);
  }

  /** Records an exit that no daemon saw, and does what follows from it. */
  async recordMissedExit(container: LiveContainer, status: ExitStatus): Promise<void> {
    this.#deps.logShipper.follow(container, Promise.resolve());
    await this.#deps.registry.exclusively(container, () => this.#ended(container, undefined, status));
  }

  /** Starts what a daemon's start brings back; a failure is logged and stays in the state. */
  async resume(container: LiveContainer): Promise<void> {
    await this.#restart(container, 0);
  }

  /** Takes back a restart that is due; the container then counts as exited. False when there is none. */
  cancelRestart(container: LiveContainer): boolean {
    if (!this.#forgetRestart(container)) return false;
    this.#deps.registry.setState(container, { status: 'exited', stoppedByUser: true });
    return true;
  }

  /** Ends timers; processes go on. */
  shutdown(): void {
    this.#stopped = true;
    for (const container of [...this.#restarts.keys()]) this.#forgetRestart(container);
  }

  async #launch(container: LiveContainer, { restartCount }: { restartCount: number }): Promise<void> {
    const { registry, events } = this.#deps;
    await container.cleanup;
    let task: Task;
    try {
      task = await launch(this.#deps, container);
    } catch (error) {
      throw await this.#failed(container, error);
    }
    container.task = task;
    events.publish('container', 'start', container.id, container.eventAttributes);
    const { health: _, ...state } = container.state;
    container.state = state;
    registry.setState(container, {
      status: 'running',
      pid: task.pid,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: Date.now(),
      restartCount,
      stoppedByUser: false,
      ...this.#deps.health.initial(container),
    });
    this.#watch(container, task);
  }

  async #failed(container: LiveContainer, cause: unknown): Promise<unknown> {
    const { process, host } = container.settings;
    const { exitCode, error } = describeStartFailure(cause, [...(process.entrypoint ?? []), ...(process.cmd ?? [])]);
    const status = container.state.startedAt === undefined ? 'created' : 'exited';
    this.#deps.registry.setState(container, { status, pid: 0, exitCode, error: messageOf(error) });
    container.attaches.abort();
    // The start's caller is told why; to who waits it is an exit like any other.
    container.waits.exited({ exitCode });
    if (host.autoRemove) await dispose(this.#deps, container, { volumes: true });
    return error;
  }

  #watch(container: LiveContainer, task: Task): void {
    this.#deps.logShipper.follow(container, task.exit);
    void task.exit.then((status) => {
      if (this.#stopped) return;
      // Not the caller who started it: whatever follows an exit is the engine's own doing.
      void asActor({ via: 'engine' }, () =>
        this.#deps.background.run(`exit of container ${container.id}`, () =>
          this.#deps.registry.exclusively(container, () => this.#ended(container, task, status)),
        ),
      );
    });
    this.#deps.health.watch(container, task);
  }

  /** Records the exit durably, tells who waits, and cleans up; only what others could trip over goes before the answer. */
  async #ended(container: LiveContainer, task: Task | undefined, status: ExitStatus): Promise<void> {
    const { registry, background, health, networks } = this.#deps;
    if (container.task !== task) return;
    // It may have happened while no daemon ran.
    const events = this.#deps.events.at(status.at);
    container.task = undefined;
    health.unwatch(container);
    const { startedAt = status.at, restartCount, stoppedByUser } = container.state;
    const ranFor = Math.max(0, status.at - startedAt);
    const lastDelay = this.#lastDelay.get(container) ?? 0;
    const run = { exitCode: status.code, ranFor, stoppedByUser, restartCount, lastDelay };
    const delay = this.#stopped || container.removing ? undefined : restartDelay(container.settings.host.restart, run);

    this.#announceExit(events, container, status);
    container.cleanup = background.run(`clean-up after container ${container.id}`, () =>
      releaseRun(this.#deps, container, task),
    );
    await background.run(`closing the network of container ${container.id}`, () => networks.close(container.id));
    container.sandbox = undefined;

    events.publish('container', 'die', container.id, {
      ...container.eventAttributes,
      exitCode: String(status.code),
      execDuration: String(Math.floor(ranFor / 1000)),
    });
    try {
      registry.recordFact(container, {
        status: delay === undefined ? 'exited' : 'restarting',
        pid: 0,
        exitCode: status.code,
        oomKilled: status.oomKilled,
        finishedAt: status.at,
        error: '',
      });
    } catch (error) {
      this.#deps.logger.error(`cannot record the exit of container ${container.id}`, { error: messageOf(error) });
    }
    if (delay !== undefined) this.#restartIn(container, delay);
    container.waits.exited({ exitCode: status.code });
    const staysAnyway = container.removing || container.restarting;
    if (delay === undefined && container.settings.host.autoRemove && !staysAnyway) {
      await this.#deps.logShipper.drained(container);
      await dispose(this.#deps, container, { volumes: true });
    }
  }

  #announceExit(events: EventPublisher, container: LiveContainer, status: ExitStatus): void {
    if (status.oomKilled) events.publish('container', 'oom', container.id, container.eventAttributes);
    announceNetworks(events, container, 'disconnect');
    for (const { point } of container.settings.mounts) {
      if (point.type !== 'volume' || !point.name) continue;
      events.publish('volume', 'unmount', point.name, { container: container.id, driver: point.driver ?? 'local' });
    }
  }

  #restartIn(container: LiveContainer, delay: number): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(container);
      this.#lastDelay.set(container, delay);
      void asActor({ via: 'engine' }, () => this.#restart(container, container.state.restartCount + 1));
    }, delay);
    this.#restarts.set(container, { delay, timer });
  }

  async #restart(container: LiveContainer, restartCount: number): Promise<void> {
    await this.#deps.background.run(`restart of container ${container.id}`, () =>
      this.#deps.registry.exclusively(container, async () => {
        if (container.removing || container.task !== undefined || isUp(container.state)) return;
        await this.#launch(container, { restartCount });
      }),
    );
  }

  #forgetRestart(container: LiveContainer): boolean {
    const pending = this.#restarts.get(container);
    if (pending === undefined) return false;
    clearTimeout(pending.timer);
    return this.#restarts.delete(container);
  }
}
