import type { Healthcheck } from '#oci';
import type { ContainerState, HealthProbe } from '../container.ts';

/** A health check with Docker's defaults filled in. Times are ms. */
export interface HealthPlan {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

type Health = NonNullable<ContainerState['health']>;

const kept = 5;

/** The plan for a container; undefined when it has no check. `shell` runs CMD-SHELL. */
export function healthPlan(
  check: Healthcheck | undefined,
  shell: readonly string[] | undefined,
): HealthPlan | undefined {
  const [kind, ...rest] = check?.Test ?? [];
  if (check === undefined || kind === undefined || kind === 'NONE') return undefined;
  const command = kind === 'CMD-SHELL' ? [...(shell ?? ['/bin/sh', '-c']), rest.join(' ')] : rest;
  if (command.length === 0) return undefined;
  const ms = (ns: number | undefined, fallback: number) => (ns ? ns / 1e6 : fallback);
  return {
    command,
    interval: ms(check.Interval, 30_000),
    timeout: ms(check.Timeout, 30_000),
    startPeriod: ms(check.StartPeriod, 0),
    startInterval: ms(check.StartInterval, 5000),
    retries: check.Retries || 3,
  };
}

/** Health after one more probe. Failures while starting up do not count until the start period is over. */
export function healthAfter(health: Health, probe: HealthProbe, at: { plan: HealthPlan; startedAt: number }): Health {
  const log = [...health.log, probe].slice(-kept);
  if (probe.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const inStartPeriod = health.status === 'starting' && probe.start - at.startedAt < at.plan.startPeriod;
  if (inStartPeriod) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= at.plan.retries ? 'unhealthy' : health.status, failingStreak, log };
}

/** Milliseconds until the next probe. */
export function nextProbeIn(health: Health, plan: HealthPlan, runningFor: number): number {
  const startingUp = health.status === 'starting' && runningFor < plan.startPeriod;
  return startingUp ? plan.startInterval : plan.interval;
}
