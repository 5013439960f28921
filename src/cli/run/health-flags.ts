import type { HealthConfig } from '#api-types';
import { invalid } from '#base';
import type { FlagValues } from '../flags/index.ts';

/** `--health-*` as the API takes them, undefined where none is set. Throws `invalid` with Docker's texts. */
export function readHealth(flags: FlagValues): HealthConfig | undefined {
  const durations = {
    Interval: flags.number('health-interval'),
    Timeout: flags.number('health-timeout'),
    StartPeriod: flags.number('health-start-period'),
    StartInterval: flags.number('health-start-interval'),
  };
  const retries = flags.number('health-retries');
  const command = flags.string('health-cmd');
  const asked = command !== '' || retries !== 0 || Object.values(durations).some((value) => value !== 0);
  if (flags.bool('no-healthcheck')) {
    if (asked) throw invalid('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!asked) return undefined;
  const names = {
    Interval: '--health-interval',
    Timeout: '--health-timeout',
    StartPeriod: '--health-start-period',
    StartInterval: '--health-start-interval',
  };
  const health: HealthConfig = {};
  if (command !== '') health.Test = ['CMD-SHELL', command];
  for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    if (durations[key] < 0) throw invalid(`${names[key]} cannot be negative`);
    if (durations[key] !== 0) health[key] = durations[key];
  }
  if (retries < 0) throw invalid('--health-retries cannot be negative');
  if (retries !== 0) health.Retries = retries;
  return health;
}
