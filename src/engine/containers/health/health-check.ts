import type { Healthcheck } from '#oci';
import type { ContainerState, HealthProbe } from '../container.ts';
import { type EngineProbe, parseEngineProbe } from './engine-probe.ts';

/** A health check with Docker's defaults filled in. Times are ms. */
export interface HealthPlan {
  /** A command to run in the container, or a probe that the engine makes from outside. */
  readonly command: readonly string[] | EngineProbe;
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

type Health = NonNullable<ContainerState['health']>;

const kept = 5;

/** Label that asks for an HTTP probe, `PORT[/PATH]`, where no other test is asked for. */
const httpLabel = 'io.berth.health.http';
/** Label that asks for a TCP probe, `PORT`. */
const tcpLabel = 'io.berth.health.tcp';
/** Label that restarts a container which became unhealthy, when it is `true`. */
export const restartLabel = 'io.berth.health.restart';

/**
 * The plan for a container; undefined when it has no check. `shell` runs CMD-SHELL; labels ask for probes of the engine.
 * Throws `invalid` for a probe that cannot be read.
 */
export function healthPlan(
  given: Healthcheck | undefined,
  shell: readonly string[] | undefined,
  labels: Readonly<Record<string, string>> = {},
): HealthPlan | undefined {
  const check = given?.Test?.length ? given : { ...given, Test: testOfLabels(labels) };
  const [kind, ...rest] = check.Test ?? [];
  if (kind === undefined || kind === 'NONE') return undefined;
  const command = commandOf(kind, rest, shell);
  if (Array.isArray(command) && command.length === 0) return undefined;
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

function commandOf(kind: string, rest: string[], shell: readonly string[] = ['/bin/sh', '-c']): HealthPlan['command'] {
  if (kind === 'HTTP' || kind === 'TCP') return parseEngineProbe(kind, rest.join(' '));
  return kind === 'CMD-SHELL' ? [...shell, rest.join(' ')] : rest;
}

function testOfLabels(labels: Readonly<Record<string, string>>): string[] {
  const { [httpLabel]: http, [tcpLabel]: tcp } = labels;
  if (http !== undefined) return ['HTTP', http];
  return tcp === undefined ? [] : ['TCP', tcp];
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
