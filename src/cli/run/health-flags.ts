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
  const engineProbe = readEngineProbe(flags);
  if (command !== '' && engineProbe !== undefined) {
    throw invalid('--health-cmd conflicts with --health-http and --health-tcp: give one of them');
  }
  const asked =
    command !== '' ||
    engineProbe !== undefined ||
    retries !== 0 ||
    Object.values(durations).some((value) => value !== 0);
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
  if (engineProbe !== undefined) health.Test = engineProbe;
  for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    if (durations[key] < 0) throw invalid(`${names[key]} cannot be negative`);
    if (durations[key] !== 0) health[key] = durations[key];
  }
  if (retries < 0) throw invalid('--health-retries cannot be negative');
  if (retries !== 0) health.Retries = retries;
  return health;
}

/** Probes that a Berth engine makes itself, without a process in the container; Docker's engine refuses them. */
function readEngineProbe(flags: FlagValues): string[] | undefined {
  const [http, tcp] = [flags.string('health-http'), flags.string('health-tcp')];
  if (http !== '' && tcp !== '') throw invalid('--health-http conflicts with --health-tcp: give one of them');
  if (http !== '') return ['HTTP', http];
  return tcp === '' ? undefined : ['TCP', tcp];
}
