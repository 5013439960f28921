import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { conflict, invalid, KeyedLock, newId, notFound } from '#base';
import type { Mounts, Processes } from '#host';
import type { Database } from '#metadata';
import { LocalDriver } from './local-driver.ts';
import type { Volume, VolumeService } from './volume.ts';
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
  return new Volumes(new VolumeRecords(options.database), new LocalDriver(options));
}

class Volumes implements VolumeService {
  readonly #records: VolumeRecords;
  readonly #driver: LocalDriver;
  /** Users that have it mounted now, by volume: what `unmount` counts down. */
  readonly #mounted = new Map<string, Set<string>>();
  readonly #lock = new KeyedLock();

  constructor(records: VolumeRecords, driver: LocalDriver) {
    this.#records = records;
    this.#driver = driver;
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
      const record: VolumeRecord = { name, driver, createdAt: Date.now(), labels, options, anonymous: !request.name };
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
      if (users.size === 0) await this.#driver.mount(name, record.options);
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
      if (this.#records.get(name)?.options.type !== undefined) await this.#driver.unmount(name);
    });
  }

  async copyUp(name: string, source: string): Promise<void> {
    await this.#lock.run(name, async () => {
      const { options } = this.#record(name);
      const others = this.#mounted.get(name)?.size ?? 0;
      await this.#driver.copyUp(name, source, others > 1 || options.type !== undefined);
    });
  }

  async size(name: string): Promise<number> {
    this.#record(name);
    return this.#driver.size(name);
  }

  async reconcile(usersAlive: ReadonlySet<string>): Promise<void> {
    for (const user of this.#records.allUsers()) if (!usersAlive.has(user)) this.#records.removeUser(user);
    const { volumes, garbage } = await this.#driver.list();
    for (const path of garbage) await rm(path, { recursive: true, force: true });
    for (const name of volumes) if (this.#records.get(name) === undefined) await this.#driver.remove(name);
  }

  #record(name: string): VolumeRecord {
    if (!name) throw invalid('volume name is empty');
    const record = this.#records.get(name);
    if (record === undefined) throw notFound(`get ${name}: no such volume`);
    return record;
  }

  #volume(record: VolumeRecord): Volume {
    return { ...record, mountpoint: this.#driver.mountpoint(record.name) };
  }
}
