import { access, chmod, chown, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mounts } from '#host';
import type { LayerRecord, VolumeRecord } from './volume-records.ts';

/** Below the volumes' root: one directory per frozen layer. */
export const layersDirectory = '.layers';
/** More would not fit into the one page that mount(2) takes for options; deeper volumes are copied. */
const MAX_LAYERS = 32;

/**
 * Volumes on frozen data: `ROOT/.layers/ID` below, the volume's own `upper` and `work` above, seen whole at `_data` while an
 * overlay (kernel doc overlayfs) is mounted there.
 */
export class VolumeLayers {
  readonly #root: string;
  readonly #mounts: Mounts;

  constructor(options: { root: string; mounts: Mounts }) {
    this.#root = options.root;
    this.#mounts = options.mounts;
  }

  /** The part of a volume that a clone has to freeze; undefined when all its data is frozen already. */
  async partToFreeze(volume: VolumeRecord): Promise<LayerRecord['part'] | undefined> {
    if (volume.layers.length === 0) return '_data';
    return (await readdir(this.#path(volume.name, 'upper'))).length > 0 ? 'upper' : undefined;
  }

  /** True when one more layer still fits. */
  fits(volume: VolumeRecord): boolean {
    return volume.layers.length < MAX_LAYERS;
  }

  /** Makes the layer out of its origin's directory and gives the origin a new one. Done already is a success. */
  async freeze(layer: LayerRecord): Promise<void> {
    const frozen = this.layer(layer.id);
    if (await exists(frozen)) return;
    await mkdir(join(this.#root, layersDirectory), { recursive: true, mode: 0o700 });
    await rename(this.#path(layer.origin, layer.part), frozen);
    await this.prepare(layer.origin, layer.id);
  }

  /** Makes a volume's own directories, their root owned as that of the layer `top`. Harmless when repeated. */
  async prepare(volume: string, top: string): Promise<void> {
    const { mode, uid, gid } = await stat(this.layer(top));
    for (const part of ['_data', 'upper', 'work']) {
      const path = this.#path(volume, part);
      if (await exists(path)) continue;
      await mkdir(path, { recursive: true });
      if (part === 'work') continue;
      await chown(path, uid, gid);
      await chmod(path, mode & 0o7777);
    }
  }

  /** Mounts the whole at `_data`; mounted already is a success. */
  async mount(volume: VolumeRecord): Promise<void> {
    const target = this.#path(volume.name, '_data');
    if ((await this.#mounts.list()).some((entry) => entry.target === target)) return;
    const lower = volume.layers.map((id) => this.layer(id)).reverse();
    await this.#mounts.mount({
      type: 'overlay',
      source: 'overlay',
      target,
      options: [
        `lowerdir=${lower.join(':')}`,
        `upperdir=${this.#path(volume.name, 'upper')}`,
        `workdir=${this.#path(volume.name, 'work')}`,
      ],
    });
  }

  /** Directories that hold a volume's data. A layer counts for the first by name of those that share it. */
  directories(volume: VolumeRecord, all: readonly VolumeRecord[]): string[] {
    const first = (id: string) => all.find((other) => other.layers.includes(id))?.name === volume.name;
    return [this.#path(volume.name, 'upper'), ...volume.layers.filter(first).map((id) => this.layer(id))];
  }

  /** Deletes layers that nobody has any more. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) await rm(this.layer(id), { recursive: true, force: true });
  }

  /** Ids of the layers on disk. */
  async list(): Promise<string[]> {
    return readdir(join(this.#root, layersDirectory)).catch(() => []);
  }

  layer(id: string): string {
    return join(this.#root, layersDirectory, id);
  }

  #path(volume: string, part: string): string {
    return join(this.#root, volume, part);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
