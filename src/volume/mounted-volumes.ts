import type { LocalDriver } from './local-driver.ts';
import type { PluginVolumes } from './plugin-volumes.ts';
import type { VolumeLayers } from './volume-layers.ts';
import type { VolumeRecord } from './volume-records.ts';

/** What has to be there for a volume to be mounted. */
interface MountedVolumesParts {
  readonly driver: LocalDriver;
  readonly layers: VolumeLayers;
  readonly plugins: PluginVolumes;
}

/**
 * Who has which volume mounted: the first user mounts, the last unmounts. In memory, as mounts are; the caller holds the
 * volume's lock.
 */
export class MountedVolumes {
  readonly #driver: LocalDriver;
  readonly #layers: VolumeLayers;
  readonly #plugins: PluginVolumes;
  readonly #users = new Map<string, Set<string>>();

  constructor({ driver, layers, plugins }: MountedVolumesParts) {
    this.#driver = driver;
    this.#layers = layers;
    this.#plugins = plugins;
  }

  /** Users that have it mounted now. */
  users(name: string): readonly string[] {
    return [...(this.#users.get(name) ?? [])];
  }

  /** Mounts it for one more user; returns the directory that containers see. */
  async mount(record: VolumeRecord, user: string): Promise<string> {
    const first = this.users(record.name).length === 0;
    const directory = await this.#mountFor(record, user, first);
    this.note(record.name, user);
    return directory;
  }

  /** Somebody has it mounted since an earlier daemon. */
  note(name: string, user: string): void {
    this.#users.set(name, (this.#users.get(name) ?? new Set()).add(user));
  }

  /** Unmounts it for a user; nothing where that user does not have it mounted. `record` is undefined for a removed one. */
  async unmount(name: string, record: VolumeRecord | undefined, user: string): Promise<void> {
    const users = this.#users.get(name);
    if (!users?.delete(user)) return;
    const last = users.size === 0;
    if (last) this.#users.delete(name);
    if (record === undefined) return;
    if (record.driver !== this.#driver.name) await this.#plugins.unmount(record, user, last);
    else if (last && isMounted(record)) await this.#driver.unmount(name);
  }

  /** Runs `body` while a local volume is mounted, whoever else uses it. */
  async during<T>(record: VolumeRecord, body: () => Promise<T>): Promise<T> {
    const idle = this.users(record.name).length === 0;
    if (idle) await this.#mountNow(record);
    try {
      return await body();
    } finally {
      if (idle) await this.#driver.unmount(record.name);
    }
  }

  async #mountFor(record: VolumeRecord, user: string, first: boolean): Promise<string> {
    if (record.driver !== this.#driver.name) return this.#plugins.mount(record, user);
    // The directory may have been removed by hand; Docker makes it again too.
    await this.#driver.create(record.name);
    if (first) await this.#mountNow(record);
    return this.#driver.mountpoint(record.name);
  }

  async #mountNow(record: VolumeRecord): Promise<void> {
    if (record.layers.length > 0) await this.#layers.mount(record);
    else await this.#driver.mount(record.name, record.options);
  }
}

/** True for a volume whose data is at its mountpoint only while something is mounted there. */
export function isMounted(record: VolumeRecord): boolean {
  return record.options.type !== undefined || record.layers.length > 0;
}
