import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { conflict, invalid, KeyedLock, newId, notFound } from '#base';
import type { Mounts, Processes } from '#host';
import type { Database } from '#metadata';
import { LocalDriver } from './local-driver.ts';
import type { Volume, VolumeService } from './volume.ts';
import { VolumeLayers } from './volume-layers.ts';
import { type VolumeRecord, VolumeRecords } from './volume-records.ts';

/** What the volume room needs. `root` is the directory that holds one directory per volume; it is made. */
export interface VolumeServiceOptions {
  readonly database: Database;
  readonly root: string;
  readonly mounts: Mounts;
  readonly processes: Processes;
}

/** Makes the volume service. */
export function createVolumeService(options: VolumeServiceOptions): VolumeService {
  mkdirSync(options.root, { recursive: true, mode: 0o701 });
  return new Volumes(new VolumeRecords(options.database), new LocalDriver(options), new VolumeLayers(options));
}

class Volumes implements VolumeService {
  readonly #records: VolumeRecords;
  readonly #driver: LocalDriver;
  readonly #layers: VolumeLayers;
  /** Users that have it mounted now, by volume: what `unmount` counts down. */
  readonly #mounted = new Map<string, Set<string>>();
  readonly #lock = new KeyedLock();

  constructor(records: VolumeRecords, driver: LocalDriver, layers: VolumeLayers) {
    this.#records = records;
    this.#driver = driver;
    this.#layers = layers;
  }

  async create(request: Parameters<VolumeService['create']>[0]): Promise<Volume> {
    const name = request.name || newId();
    const driver = request.driver || this.#driver.name;
    return this.#lock.run(name, async () => {
      const existing = this.#records.get(name);
      if (existing !== undefined) {
        if (existing.driver !== driver) {
          throw conflict(
            `conflict: volume name must be unique: a volume named ${name} already exists with the ${existing.driver} driver`,
          );
        }
        return this.#volume(existing);
      }
      if (driver !== this.#driver.name) {
        throw notFound(`create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`);
      }
      const options = request.options ?? {};
      this.#driver.check(name, options);
      await this.#driver.create(name);
      const labels = request.labels ?? {};
      const anonymous = !request.name;
      const record = { name, driver, createdAt: Date.now(), labels, options, anonymous, layers: [] };
      this.#records.insert(record);
      return this.#volume(record);
    });
  }

  async get(name: string): Promise<Volume> {
    return this.#volume(this.#record(name));
  }

  async list(): Promise<Volume[]> {
    return this.#records.list().map((record) => this.#volume(record));
  }

  async remove(name: string, options: { force?: boolean } = {}): Promise<void> {
    await this.#lock.run(name, async () => {
      if (this.#records.get(name) === undefined && options.force) return;
      this.#record(name);
      const users = this.#records.users(name);
      if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
      // Record first: a crash after it leaves a directory that reconcile removes, never a volume without its data.
      this.#records.delete(name);
      await this.#driver.remove(name);
      await this.#layers.remove(this.#records.takeUnusedLayers());
    });
  }

  async acquire(name: string, user: string): Promise<void> {
    await this.#lock.run(name, async () => {
      this.#record(name);
      this.#records.addUser(name, user);
    });
  }

  async release(user: string): Promise<void> {
    this.#records.removeUser(user);
  }

  users(name: string): string[] {
    return this.#records.users(name);
  }

  async mount(name: string, user: string): Promise<string> {
    return this.#lock.run(name, async () => {
      const record = this.#record(name);
      const users = this.#mounted.get(name) ?? new Set();
      // The directory may have been removed by hand; Docker makes it again too.
      await this.#driver.create(name);
      if (users.size === 0) await this.#mountNow(record);
      users.add(user);
      this.#mounted.set(name, users);
      return this.#driver.mountpoint(name);
    });
  }

  async unmount(name: string, user: string): Promise<void> {
    await this.#lock.run(name, async () => {
      const users = this.#mounted.get(name);
      if (!users?.delete(user) || users.size > 0) return;
      this.#mounted.delete(name);
      const record = this.#records.get(name);
      if (record !== undefined && isMounted(record)) await this.#driver.unmount(name);
    });
  }

  async copyUp(name: string, source: string): Promise<void> {
    await this.#lock.run(name, async () => {
      const record = this.#record(name);
      const others = this.#mounted.get(name)?.size ?? 0;
      await this.#driver.copyUp(name, source, others > 1 || isMounted(record));
    });
  }

  async size(name: string): Promise<number> {
    const record = this.#record(name);
    if (record.layers.length === 0) return this.#driver.size(name);
    return this.#driver.size(name, this.#layers.directories(record, this.#records.list()));
  }

  async reconcile(usersAlive: ReadonlySet<string>): Promise<void> {
    for (const user of this.#records.allUsers()) if (!usersAlive.has(user)) this.#records.removeUser(user);
    await this.#finishInterrupted();
    const { volumes, garbage } = await this.#driver.list();
    for (const path of garbage) await rm(path, { recursive: true, force: true });
    for (const name of volumes) if (this.#records.get(name) === undefined) await this.#driver.remove(name);
  }

  async clone(source: string, request: { name: string; labels?: Readonly<Record<string, string>> }): Promise<Volume> {
    const { name } = request;
    return this.#lockBoth(source, name, async () => {
      const from = this.#record(source);
      if (Object.keys(from.options).length > 0 || from.driver !== this.#driver.name) {
        throw invalid(`clone ${source}: only local volumes without options can be cloned`);
      }
      this.#driver.check(name, {});
      this.#refuseTaken(name);
      const labels = request.labels ?? {};
      const to = { name, driver: from.driver, createdAt: Date.now(), labels, options: {}, anonymous: false };
      const inUse = (this.#mounted.get(source)?.size ?? 0) > 0;
      const record = inUse || !this.#layers.fits(from) ? await this.#copy(from, to) : await this.#share(from, to);
      return this.#volume(record);
    });
  }

  async rename(name: string, newName: string): Promise<Volume> {
    return this.#lockBoth(name, newName, async () => {
      this.#record(name);
      this.#driver.check(newName, {});
      this.#refuseTaken(newName);
      const users = this.#records.users(name);
      if (users.length > 0) throw conflict(`rename ${name}: volume is in use - [${users.join(', ')}]`);
      if (this.#mounted.has(name)) throw conflict(`rename ${name}: volume is mounted`);
      this.#records.rename(name, newName);
      await this.#driver.rename(name, newName);
      this.#records.settleMove(name);
      return this.#volume(this.#record(newName));
    });
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
    const idle = !this.#mounted.has(from.name);
    if (idle) await this.#mountNow(from);
    try {
      await this.#driver.copy(from.name, to.name);
    } catch (error) {
      await this.#driver.remove(to.name);
      throw error;
    } finally {
      if (idle) await this.#driver.unmount(from.name);
    }
    const record = { ...to, layers: [] };
    this.#records.insert(record);
    return record;
  }

  async #mountNow(record: VolumeRecord): Promise<void> {
    if (record.layers.length > 0) await this.#layers.mount(record);
    else await this.#driver.mount(record.name, record.options);
  }

  /** Moves and freezings whose record was written when the daemon died. */
  async #finishInterrupted(): Promise<void> {
    for (const move of this.#records.moves()) {
      await this.#driver.rename(move.old_name, move.new_name);
      this.#records.settleMove(move.old_name);
    }
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

  #refuseTaken(name: string): void {
    if (this.#records.get(name) === undefined) return;
    throw conflict(`a volume named ${name} already exists; choose another name or remove it first`);
  }

  /** In one order for everybody, so that two calls never wait for each other. */
  #lockBoth<T>(one: string, other: string, body: () => Promise<T>): Promise<T> {
    if (one === other) throw conflict(`a volume named ${one} already exists; choose another name`);
    const [first = '', second = ''] = [one, other].sort();
    return this.#lock.run(first, () => this.#lock.run(second, body));
  }

  #record(name: string): VolumeRecord {
    if (!name) throw invalid('volume name is empty');
    const record = this.#records.get(name);
    if (record === undefined) throw notFound(`get ${name}: no such volume`);
    return record;
  }

  #volume(record: VolumeRecord): Volume {
    const { layers: _, ...shown } = record;
    return { ...shown, mountpoint: this.#driver.mountpoint(record.name) };
  }
}

/** True for a volume whose data is at its mountpoint only while something is mounted there. */
function isMounted(record: VolumeRecord): boolean {
  return record.options.type !== undefined || record.layers.length > 0;
}
