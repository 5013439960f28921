import type { Digest } from '#base';
import type { Snapshotter } from '#snapshot';
import { chainIds } from './chain-id.ts';
import type { Image } from './image.ts';

/** Unpacked bytes of each image's layers that other images have too, on the same layers below; by image id. */
export async function sharedSizes(
  images: readonly Image[],
  snapshots: Pick<Snapshotter, 'list' | 'usage'>,
): Promise<ReadonlyMap<Digest, number>> {
  const chains = images.map((image) => ({ id: image.id, keys: chainIds(image.config.rootfs.diff_ids) }));
  const users = new Map<string, number>();
  for (const { keys } of chains) for (const key of keys) users.set(key, (users.get(key) ?? 0) + 1);
  const sizes = new Map<string, number>();
  // A layer that is not unpacked now takes no room either.
  for (const { key } of await snapshots.list()) {
    if ((users.get(key) ?? 0) > 1) sizes.set(key, (await snapshots.usage(key)).bytes);
  }
  return new Map(chains.map(({ id, keys }) => [id, keys.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0)]));
}
