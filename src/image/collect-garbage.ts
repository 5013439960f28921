import { type Digest, isBerthError } from '#base';
import type { BlobInfo, ContentStore } from '#content';
import type { Snapshotter } from '#snapshot';
import { chainIds } from './chain-id.ts';
import type { ImageRecords } from './image-records.ts';
import type { Leases } from './leases.ts';
import { unpackPrefix } from './unpack-prefix.ts';

/** File systems hand out whole blocks; 4 KiB on nearly all. */
const fileBlock = 4096;

/** What the collector needs. */
export interface CollectorOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly records: ImageRecords;
  readonly leases: Leases;
}

/**
 * Removes blobs and committed snapshots that nothing needs; safe beside operations that hold a lease. What was made
 * since the oldest operation under way began stays: its maker may not have recorded it yet. Returns bytes freed.
 */
export async function collectGarbage(options: CollectorOptions, keepSnapshots: ReadonlySet<string>): Promise<number> {
  const startedAt = options.leases.oldest();
  let freed = await collectSnapshots(options, keepSnapshots, startedAt);
  freed += await collectBlobs(options, startedAt);
  return freed;
}

async function collectSnapshots(
  { snapshots, records, leases }: CollectorOptions,
  keep: ReadonlySet<string>,
  startedAt: number,
): Promise<number> {
  const all = await snapshots.list();
  const parents = new Map(all.map((snapshot) => [snapshot.key, snapshot.parent]));
  const needed = new Set<string>();
  const need = (key: string | undefined) => {
    for (let at = key; at !== undefined && !needed.has(at); at = parents.get(at)) needed.add(at);
  };
  for (const key of keep) need(key);
  for (const image of records.list()) for (const key of chainIds(image.config.rootfs.diff_ids)) need(key);
  let freed = 0;
  for (const snapshot of all.toReversed()) {
    const garbage = snapshot.kind === 'committed' || snapshot.key.startsWith(unpackPrefix);
    if (!garbage || needed.has(snapshot.key) || snapshot.createdAt >= startedAt) continue;
    await leases.remove(snapshot.key, async () => {
      try {
        const { bytes } = await snapshots.usage(snapshot.key);
        await snapshots.remove(snapshot.key);
        records.deleteLayer(snapshot.key);
        freed += bytes;
      } catch (error) {
        // Something stands on it, perhaps since a moment ago.
        if (!isBerthError(error, 'conflict')) throw error;
      }
    });
  }
  return freed;
}

async function collectBlobs({ content, snapshots, records, leases }: CollectorOptions, startedAt: number) {
  const needed = new Set<string>();
  for (const image of records.list()) {
    needed.add(image.id).add(image.manifestDigest);
    for (const layer of image.layers) needed.add(layer.digest);
    for (const diffId of image.config.rootfs.diff_ids) {
      const compressed = records.compressed(diffId);
      if (compressed !== undefined) needed.add(compressed.digest);
    }
  }
  for (const { key } of await snapshots.list()) {
    const layer = records.layer(key);
    if (layer !== undefined) needed.add(layer.digest);
  }
  const garbage: BlobInfo[] = [];
  for await (const blob of content.list()) {
    if (!needed.has(blob.digest) && blob.createdAt < startedAt) garbage.push(blob);
  }
  let freed = 0;
  for (const { digest, size } of garbage) {
    // An operation may have recorded it, and ended its lease, since the list of needed ones was made.
    if (records.usesBlob(digest)) continue;
    if (await leases.remove(digest, () => content.remove(digest))) freed += size;
  }
  return freed;
}

/**
 * Bytes on disk of all blobs, and of the unpacked layers that images need; shared ones once. Layers that only the build
 * cache has are counted there.
 */
export async function layersOnDisk({ content, snapshots, records }: Omit<CollectorOptions, 'leases'>): Promise<number> {
  let total = 0;
  for await (const { size } of content.list()) total += Math.ceil(size / fileBlock) * fileBlock;
  const needed = new Set<string>(records.list().flatMap((image) => chainIds(image.config.rootfs.diff_ids)));
  for (const { key } of await snapshots.list()) {
    if (needed.has(key)) total += (await snapshots.usage(key)).diskBytes;
  }
  return total;
}

/** Removes those of `digests` that no image names and nobody holds: what a failed operation brought. */
export async function dropUnused(
  digests: Iterable<Digest>,
  { content, records, leases }: Pick<CollectorOptions, 'content' | 'records' | 'leases'>,
): Promise<void> {
  for (const digest of digests) {
    if (!records.usesBlob(digest)) await leases.remove(digest, () => content.remove(digest));
  }
}
