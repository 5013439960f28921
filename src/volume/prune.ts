import { isBerthError } from '#base';
import type { Volume, VolumeService } from './volume.ts';

/**
 * Removes the volumes that nothing uses and that `matches` takes; what options describe (a disk, a server) or another
 * driver keeps is not ours to delete. Returns the names, and the bytes that are free now.
 */
export async function pruneVolumes(
  volumes: Pick<VolumeService, 'list' | 'users' | 'size' | 'remove'>,
  matches: (volume: Volume) => boolean,
): Promise<{ deleted: string[]; reclaimed: number }> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const volume of await volumes.list()) {
    if (volume.driver !== 'local' || Object.keys(volume.options).length > 0) continue;
    if (!matches(volume) || volumes.users(volume.name).length > 0) continue;
    try {
      const size = await volumes.size(volume.name);
      await volumes.remove(volume.name);
      deleted.push(volume.name);
      reclaimed += size;
    } catch (error) {
      // Somebody came to use it, or removed it, in between: that is no failure of a prune.
      if (!isBerthError(error)) throw error;
    }
  }
  return { deleted, reclaimed };
}
