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

/** A health check without what is zero. Whether it can be is the engine's to check. */
export function decodeHealthcheck(wire: { [Key in keyof Healthcheck]?: Healthcheck[Key] | undefined }): Healthcheck {
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined && value !== 0));
}
