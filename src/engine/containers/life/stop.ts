import { constants } from 'node:os';
import { conflict, invalid, isBerthError, type Logger, messageOf, notModified, unavailable } from '#base';
import type { Task } from '#runtime';
import type { EventJournal } from '../../events/events.ts';
import { isUp, type LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import { signalNumber } from '../signals.ts';
import { pointlessSignal } from './pointless-signal.ts';
import type { Supervisor } from './supervisor.ts';

/** What stopping needs. */
export interface StopDependencies {
  readonly registry: ContainerRegistry;
  readonly supervisor: Pick<Supervisor, 'cancelRestart'>;
  readonly events: EventJournal;
  readonly logger: Logger;
}

const { SIGKILL, SIGTERM } = constants.signals;
const defaultTimeout = 10;
/** How long a killed process may take to vanish (s): uninterruptible I/O can hold it. */
const killPatience = 10;

/**
 * Stop signal, then SIGKILL after `timeout` seconds (-1: never). A signal that cannot work is not waited for. Returns
 * when the exit is recorded. Throws `not-modified` when it does not run. Holds no lock: others may kill meanwhile.
 */
export async function stopContainer(
  deps: StopDependencies,
  container: LiveContainer,
  options: { signal?: string; timeout?: number } = {},
): Promise<void> {
  const { process } = container.settings;
  const signal = signalNumber(options.signal || process.stopSignal || 'SIGTERM');
  const timeout = options.timeout ?? process.stopTimeout ?? defaultTimeout;
  if (deps.supervisor.cancelRestart(container)) return;
  const { task } = container;
  if (task === undefined || !isUp(container.state)) throw notModified(`Container ${container.id} is already stopped`);
  recordWish(deps, container);
  const exited = container.waits.add('next-exit').then(() => true);

  const why = signal === SIGKILL ? undefined : await pointlessSignal(task.pid, signal);
  if (why === undefined) {
    await sendSignal(deps, container, { task, signal });
    if (await within(exited, timeout)) return announceStop(deps, container);
  } else {
    deps.logger.info(`container ${container.name} is killed at once: ${why}`);
  }
  await killAndWait(deps, container, { task, exited });
  announceStop(deps, container);
}

/** SIGKILL, and waits until the exit is recorded. Throws `unavailable` when the process cannot be killed. */
export async function killContainer(deps: StopDependencies, container: LiveContainer): Promise<void> {
  deps.supervisor.cancelRestart(container);
  const { task } = container;
  if (task === undefined) return;
  recordWish(deps, container);
  await killAndWait(deps, container, { task, exited: container.waits.add('next-exit').then(() => true) });
}

/** `docker kill`: any signal; throws `conflict` when it does not run, `invalid` for an unknown signal. */
export async function signalContainer(deps: StopDependencies, container: LiveContainer, signal: string): Promise<void> {
  let number: number;
  try {
    number = signalNumber(signal || 'SIGKILL');
  } catch (error) {
    throw invalid(`cannot kill container: ${container.name}: ${messageOf(error)}`);
  }
  const { task } = container;
  if (task === undefined || !isUp(container.state)) {
    throw conflict(`cannot kill container: ${container.name}: container ${container.id} is not running`);
  }
  // As in Docker: with a stop signal of its own, only that one and SIGKILL tell the restart policy that it shall end.
  const { stopSignal } = container.settings.process;
  if (number === SIGKILL || stopSignal === '' || signalNumber(stopSignal) === number) {
    recordWish(deps, container);
  }
  if (number === SIGKILL) await killAndWait(deps, container, { task, exited: exitOf(container) });
  else await sendSignal(deps, container, { task, signal: number });
}

/** Not being able to write the wish down (a full disk) is no reason to let the container run on. */
function recordWish({ registry }: StopDependencies, container: LiveContainer): void {
  try {
    registry.recordFact(container, { stoppedByUser: true });
  } catch (error) {
    if (!isBerthError(error, 'unavailable')) throw error;
  }
}

function exitOf(container: LiveContainer): Promise<true> {
  return container.waits.add('next-exit').then(() => true as const);
}

async function killAndWait(
  deps: StopDependencies,
  container: LiveContainer,
  { task, exited }: { task: Task; exited: Promise<boolean> },
): Promise<void> {
  await sendSignal(deps, container, { task, signal: SIGKILL });
  if (await within(exited, killPatience)) return;
  throw unavailable(
    `cannot kill container ${container.name} (${container.id}): it has not ended ${killPatience} s after SIGKILL; ` +
      'a process in it may be stuck in the kernel',
  );
}

async function sendSignal(
  deps: StopDependencies,
  container: LiveContainer,
  { task, signal }: { task: Task; signal: number },
): Promise<void> {
  deps.events.publish('container', 'kill', container.id, { ...container.eventAttributes, signal: String(signal) });
  try {
    await task.signal(signal);
    // A frozen process acts on a signal only once it is thawed.
    if (container.state.status === 'paused' && (signal === SIGKILL || signal === SIGTERM)) await task.resume();
  } catch (error) {
    // Gone in this moment: its exit is on the way.
    if (!isBerthError(error, 'not-found')) throw error;
  }
}

function announceStop(deps: StopDependencies, container: LiveContainer): void {
  deps.events.publish('container', 'stop', container.id, container.eventAttributes);
}

/** True when `exited` comes within `seconds`; a negative number waits for ever. */
async function within(exited: Promise<boolean>, seconds: number): Promise<boolean> {
  if (seconds < 0) return exited;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  try {
    return await Promise.race([exited, late]);
  } finally {
    clearTimeout(timer);
  }
}
