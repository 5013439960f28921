import type { HistoryEntry } from '#oci';
import type { Snapshotter } from '#snapshot';
import { chainIds } from './chain-id.ts';
import type { Image } from './image.ts';

/** One line of `docker history`. */
export type HistoryLine = HistoryEntry & {
  readonly size: number;
  readonly id: string;
  readonly tags: readonly string[];
};

/** The image's steps newest first; only the newest has an id, as all others may have been made elsewhere. */
export async function imageHistory(image: Image, snapshots: Pick<Snapshotter, 'usage'>): Promise<HistoryLine[]> {
  const chain = chainIds(image.config.rootfs.diff_ids);
  const entries = image.config.history ?? [];
  // Configs without a history, or a wrong one, still show a line per layer.
  const steps = entries.filter((entry) => !entry.empty_layer).length === chain.length ? entries : chain.map(() => ({}));
  const lines: HistoryLine[] = [];
  let layer = 0;
  for (const entry of steps) {
    const key = 'empty_layer' in entry && entry.empty_layer ? undefined : chain[layer++];
    const size = key === undefined ? 0 : await snapshots.usage(key).then((usage) => usage.bytes);
    lines.unshift({ ...entry, size, id: '<missing>', tags: [] });
  }
  const [newest, ...older] = lines;
  return newest === undefined ? [] : [{ ...newest, id: image.id, tags: image.tags }, ...older];
}
