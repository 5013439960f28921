import { invalid } from '#base';
import type { Healthcheck } from '#oci';
import { goObject, int, strings } from './go-json.ts';

/** Schema of Healthcheck. */
export const healthcheckSchema = goObject({
  Test: strings,
  Interval: int,
  Timeout: int,
  StartPeriod: int,
  StartInterval: int,
  Retries: int,
});

const durations = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;

/** Checks a health check; zeros are left out. Throws `invalid` with Docker's texts. */
export function decodeHealthcheck(wire: { [Key in keyof Healthcheck]?: Healthcheck[Key] | undefined }): Healthcheck {
  for (const field of durations) {
    const value = wire[field] ?? 0;
    if (value !== 0 && value < 1_000_000) throw invalid(`${field} in Healthcheck cannot be less than 1ms`);
  }
  if ((wire.Retries ?? 0) < 0) throw invalid('Retries in Healthcheck cannot be negative');
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined && value !== 0));
}
