import { notImplemented } from '#base';

/** Why there are no checkpoints: what every call that asks for one is told. */
export const checkpointReason =
  'checkpoint and restore are not available: the CRIU of current distributions cannot freeze processes of this kernel';

/** Throws `not-implemented` for a start that shall restore a checkpoint. */
export function refuseCheckpoint(name: string | undefined): void {
  if (name) throw notImplemented(checkpointReason);
}
