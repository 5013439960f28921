import { newId } from '#base';
import type { LocalDriver } from './local-driver.ts';
import type { MountedVolumes } from './mounted-volumes.ts';
import type { VolumeLayers } from './volume-layers.ts';
import type { VolumeRecord, VolumeRecords } from './volume-records.ts';

/** What clones are made with. */
interface VolumeClonesParts {
  readonly records: VolumeRecords;
  readonly driver: LocalDriver;
  readonly layers: VolumeLayers;
  readonly mounted: MountedVolumes;
}

/** Makes volumes out of others, records and data; the caller holds both volumes' locks. */
export class VolumeClones {
  readonly #records: VolumeRecords;
  readonly #driver: LocalDriver;
  readonly #layers: VolumeLayers;
  readonly #mounted: MountedVolumes;

  constructor({ records, driver, layers, mounted }: VolumeClonesParts) {
    this.#records = records;
    this.#driver = driver;
    this.#layers = layers;
    this.#mounted = mounted;
  }

  /** Puts `to` on the data that `from` has now: shared where `from` is idle, copied while somebody uses it. */
  clone(from: VolumeRecord, to: Omit<VolumeRecord, 'layers'>): Promise<VolumeRecord> {
    const inUse = this.#mounted.users(from.name).length > 0;
    return inUse || !this.#layers.fits(from) ? this.#copy(from, to) : this.#share(from, to);
  }

  /** Finishes freezings whose record was written when the daemon died, and deletes layers without a record. */
  async finishInterrupted(): Promise<void> {
    this.#records.takeUnusedLayers();
    const layers = this.#records.layers();
    for (const layer of layers) await this.#layers.freeze(layer);
    for (const { name, layers: own } of this.#records.list()) {
      const top = own.at(-1);
      if (top !== undefined) await this.#layers.prepare(name, top);
    }
    const known = new Set(layers.map((layer) => layer.id));
    await this.#layers.remove((await this.#layers.list()).filter((id) => !known.has(id)));
  }

  /** Freezes what the source has and puts both volumes on it: no data moves. */
  async #share(from: VolumeRecord, to: Omit<VolumeRecord, 'layers'>): Promise<VolumeRecord> {
    const part = await this.#layers.partToFreeze(from);
    const layer = part && { id: newId().slice(0, 12), origin: from.name, part };
    const layers = layer ? [...from.layers, layer.id] : from.layers;
    const record = { ...to, layers };
    // The record first: whatever is interrupted afterwards is finished by the next start.
    this.#records.insertClone(from, record, layer);
    if (layer) await this.#layers.freeze(layer);
    await this.#layers.prepare(to.name, layers.at(-1) ?? '');
    return record;
  }

  async #copy(from: VolumeRecord, to: Omit<VolumeRecord, 'layers'>): Promise<VolumeRecord> {
    await this.#mounted.during(from, async () => {
      try {
        await this.#driver.copy(from.name, to.name);
      } catch (error) {
        await this.#driver.remove(to.name);
        throw error;
      }
    });
    const record = { ...to, layers: [] };
    this.#records.insert(record);
    return record;
  }
}
