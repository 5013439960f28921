import { asActor, isBerthError, messageOf, newId } from '#base';
import type { ExecTask, ExitStatus, Task } from '#runtime';
import type { EventJournal } from '../../events/events.ts';
import { innerTask } from '../../exec/exec-process.ts';
import { execWords } from '../../exec/exec-words.ts';
import type { ContainerState, HealthProbe } from '../container.ts';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import type { RootfsMounts } from '../rootfs/rootfs-mounts.ts';
import { probe } from './engine-probe.ts';
import { type HealthPlan, healthAfter, healthPlan, nextProbeIn, restartLabel } from './health-check.ts';

/** What probing needs. */
export interface HealthDependencies {
  readonly registry: Pick<ContainerRegistry, 'setState'>;
  readonly events: EventJournal;
  readonly rootfs: RootfsMounts;
  /** Address at which the host reaches the container; undefined when it has none. */
  readonly addressOf: (container: LiveContainer) => string | undefined;
  /** Called when one that asks for it became unhealthy. */
  readonly restart: (container: LiveContainer) => void;
}

const longestOutput = 4096;

/** Runs the health checks of all running containers, each on its own timer. */
export class HealthMonitor {
  readonly #deps: HealthDependencies;
  readonly #watched = new Map<LiveContainer, AbortController>();

  constructor(deps: HealthDependencies) {
    this.#deps = deps;
  }

  /** The part of the state that a start sets: `starting` for a container with a check. */
  initial(container: LiveContainer): Pick<ContainerState, 'health'> {
    return planOf(container) ? { health: { status: 'starting', failingStreak: 0, log: [] } } : {};
  }

  /** Begins (or, after a daemon's restart, goes on) probing. */
  watch(container: LiveContainer, task: Task): void {
    const plan = planOf(container);
    if (plan === undefined) return;
    const end = new AbortController();
    this.#watched.set(container, end);
    asActor({ via: 'engine' }, () => this.#schedule({ container, task, plan, signal: end.signal }));
  }

  /** Stops probing. */
  unwatch(container: LiveContainer): void {
    this.#watched.get(container)?.abort();
    this.#watched.delete(container);
  }

  shutdown(): void {
    for (const container of [...this.#watched.keys()]) this.unwatch(container);
  }

  #schedule(watch: Watch): void {
    const { container, plan, signal } = watch;
    const { health, startedAt = Date.now() } = container.state;
    if (signal.aborted || health === undefined) return;
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', cancel);
        void this.#round(watch);
      },
      nextProbeIn(health, plan, Date.now() - startedAt),
    );
    const cancel = () => clearTimeout(timer);
    signal.addEventListener('abort', cancel, { once: true });
  }

  async #round(watch: Watch): Promise<void> {
    const { container, signal } = watch;
    // A paused container cannot answer, which says nothing about its health.
    if (container.state.status === 'running') {
      const result = await this.#probe(watch);
      if (signal.aborted) return;
      this.#record(watch, result);
    }
    this.#schedule(watch);
  }

  #record({ container, plan }: Watch, result: HealthProbe): void {
    const { health, startedAt = 0 } = container.state;
    if (health === undefined) return;
    const after = healthAfter(health, result, { plan, startedAt });
    if (after.status !== health.status) {
      this.#deps.events.publish('container', `health_status: ${after.status}`, container.id, container.eventAttributes);
    }
    this.#deps.registry.setState(container, { health: after });
    const wantsRestart = container.settings.labels[restartLabel] === 'true';
    if (wantsRestart && after.status === 'unhealthy' && health.status !== 'unhealthy') this.#deps.restart(container);
  }

  async #probe(watch: Watch): Promise<HealthProbe> {
    const { container, plan } = watch;
    const { command } = plan;
    if (!('kind' in command)) return await this.#run(watch, command);
    const start = Date.now();
    const address = this.#deps.addressOf(container);
    const found =
      address === undefined
        ? { exitCode: -1, output: 'the container has no network on which the engine could reach it' }
        : await probe(command, address, plan.timeout);
    return { start, end: Date.now(), ...found };
  }

  async #run({ container, task, plan }: Watch, command: readonly string[]): Promise<HealthProbe> {
    const start = Date.now();
    const id = newId();
    const words = execWords(command);
    const publish = (action: string, more: Record<string, string> = {}) =>
      this.#deps.events.publish('container', action, container.id, {
        ...container.eventAttributes,
        execID: id,
        ...more,
      });
    try {
      publish(`exec_create: ${words}`);
      const process = await innerTask(this.#deps.rootfs, { container, task, cmd: command, id });
      const result = await run(process, plan.timeout, () => publish(`exec_start: ${words}`));
      publish('exec_die', { exitCode: String(result.exitCode) });
      return { start, end: Date.now(), ...result };
    } catch (error) {
      return { start, end: Date.now(), exitCode: -1, output: messageOf(error) };
    }
  }
}

interface Watch {
  readonly container: LiveContainer;
  readonly task: Task;
  readonly plan: HealthPlan;
  readonly signal: AbortSignal;
}

function planOf({ settings }: LiveContainer): HealthPlan | undefined {
  try {
    return healthPlan(settings.healthcheck, settings.process.shell, settings.labels);
  } catch (error) {
    // What a user asks for was checked at create; an image's label that cannot be read is no check.
    if (isBerthError(error, 'invalid')) return undefined;
    throw error;
  }
}

/** Runs a probe to its end or for `timeout` ms, then kills it. */
async function run(process: ExecTask, timeout: number, started: () => void) {
  const attachment = await process.attach();
  let timer: NodeJS.Timeout | undefined;
  try {
    await process.start();
    started();
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), timeout);
    });
    const output = collect(attachment.output);
    const ended: ExitStatus | 'late' = await Promise.race([process.exit, late]);
    if (ended !== 'late') return { exitCode: ended.code, output: await output };
    await process.discard();
    return { exitCode: -1, output: `Health check exceeded timeout (${timeout / 1000}s)` };
  } finally {
    clearTimeout(timer);
    attachment.close();
  }
}

async function collect(output: AsyncIterable<{ data: Buffer }>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const { data } of output) {
    if (size < longestOutput) chunks.push(data);
    size += data.length;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return text.length > longestOutput ? `${text.slice(0, longestOutput)}...` : text;
}
