import type { RestartPolicy } from '../container.ts';

/** How a run ended, as far as the restart policy asks. */
export interface EndedRun {
  readonly exitCode: number;
  /** How long it ran, ms. */
  readonly ranFor: number;
  readonly stoppedByUser: boolean;
  /** Restarts so far since the user started it. */
  readonly restartCount: number;
  /** The delay (ms) before this run, 0 if it was not a restart. */
  readonly lastDelay: number;
}

const shortestDelay = 100;
const longestDelay = 60_000;
/** A run of so many ms counts as a success, and the delays begin anew. */
const goodRun = 10_000;

/** Milliseconds until the restart, or undefined for none. The delay doubles from 100 ms to a minute, as in Docker. */
export function restartDelay(policy: RestartPolicy, run: EndedRun): number | undefined {
  if (run.stoppedByUser || !wanted(policy, run)) return undefined;
  if (run.lastDelay === 0 || run.ranFor >= goodRun) return shortestDelay;
  return Math.min(run.lastDelay * 2, longestDelay);
}

/** True when a daemon that starts should start the container again, which does not run. */
export function startsWithDaemon(policy: RestartPolicy, run: EndedRun): boolean {
  // `always` means always: a container stopped by hand comes back with the daemon.
  if (policy.name === 'always') return true;
  return !run.stoppedByUser && wanted(policy, run);
}

function wanted({ name, maximumRetryCount }: RestartPolicy, { exitCode, restartCount }: EndedRun): boolean {
  if (name === 'on-failure') return exitCode !== 0 && (maximumRetryCount === 0 || restartCount < maximumRetryCount);
  return name === 'always' || name === 'unless-stopped';
}
