import { type BerthError, notImplemented } from '#base';
import type { SystemPort } from '../../ports.ts';

/** What every call that asks for a checkpoint is told: `not-implemented` with this host's reason. */
export async function noCheckpoints(system: Pick<SystemPort, 'whyNoCheckpoints'>): Promise<BerthError> {
  return notImplemented(`checkpoint and restore are not available: ${await system.whyNoCheckpoints()}`);
}
