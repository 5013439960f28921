import { mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { conflict, invalid, KeyedLock, newId, notFound, withUndo } from '#base';
import type { Mounts, Processes } from '#host';
import type { Database } from '#metadata';
import { LocalDriver } from './local-driver.ts';
import { isMounted, MountedVolumes } from './mounted-volumes.ts';
import { defaultPluginPlaces, type PluginPlaces } from './plugin-driver.ts';
import { PluginVolumes } from './plugin-volumes.ts';
import type { Volume, VolumeService } from './volume.ts';
import { VolumeClones } from './volume-clones.ts';
import { VolumeLayers } from './volume-layers.ts';
import { checkVolumeName } from './volume-name.ts';
import { type VolumeRecord, VolumeRecords } from './volume-records.ts';
import type { VolumeTrees } from './volume-trees.ts';

/** What the volume room needs. `root` is the directory that holds one directory per volume; it is made. */
export interface VolumeServiceOptions {
  readonly database: Database;
  readonly root: string;
  readonly mounts: Mounts;
  readonly processes: Processes;
  readonly trees: VolumeTrees;
  /** Where drivers of others are looked for; Docker's places if left out. */
  readonly plugins?: PluginPlaces;
}

/** Makes the volume service. */
export function createVolumeService(options: VolumeServiceOptions): VolumeService {
  mkdirSync(options.root, { recursive: true, mode: 0o701 });
  return new Volumes({
    records: new VolumeRecords(options.database),
    driver: new LocalDriver(options),
    layers: new VolumeLayers(options),
    trees: options.trees,
    plugins: new PluginVolumes(options.plugins ?? defaultPluginPlaces),
  });
}

interface VolumeParts {
  readonly records: VolumeRecords;
  readonly driver: LocalDriver;
  readonly layers: VolumeLayers;
  readonly trees: VolumeTrees;
  readonly plugins: PluginVolumes;
}

class Volumes implements VolumeService {
  readonly #records: VolumeRecords;
  readonly #driver: LocalDriver;
  readonly #layers: VolumeLayers;
  readonly #trees: VolumeTrees;
  readonly #plugins: PluginVolumes;
  readonly #mounted: MountedVolumes;
  readonly #clones: VolumeClones;
  readonly #lock = new KeyedLock();

  constructor(parts: VolumeParts) {
    this.#records = parts.records;
    this.#driver = parts.driver;
    this.#layers = parts.layers;
    this.#trees = parts.trees;
    this.#plugins = parts.plugins;
    this.#mounted = new MountedVolumes(parts);
    this.#clones = new VolumeClones({ ...parts, mounted: this.#mounted });
  }

  async create(request: Parameters<VolumeService['create']>[0]): Promise<Volume> {
    const name = request.name || newId();
    const driver = request.driver || this.#driver.name;
    return this.#lock.run(name, async () => {
      const existing = request.driver ? this.#records.get(name) : await this.#claim(name);
      if (existing !== undefined) {
        if (request.driver && existing.driver !== driver) {
          throw conflict(
            `conflict: volume name must be unique: a volume named ${name} already exists with the ${existing.driver} driver`,
          );
        }
        return this.#volume(existing);
      }
      const options = request.options ?? {};
      if (driver === this.#driver.name) {
        this.#driver.check(name, options);
        await this.#driver.create(name);
      } else {
        checkVolumeName(name);
        await this.#plugins.create({ name, driver }, options);
      }
      const labels = request.labels ?? {};
      const anonymous = !request.name;
      const record = { name, driver, createdAt: Date.now(), labels, options, anonymous, layers: [] };
      this.#records.insert(record);
      return this.#volume(record);
    });
  }

  async get(name: string): Promise<Volume> {
    const stranger = await this.#stranger(name);
    if (stranger !== undefined) return stranger;
    const record = this.#record(name);
    const volume = this.#volume(record);
    return record.driver === this.#driver.name ? volume : { ...volume, ...(await this.#plugins.ask(record)) };
  }

  async list(): Promise<Volume[]> {
    return this.#records.list().map((record) => this.#volume(record));
  }

  async survey(): Promise<{ volumes: Volume[]; warnings: string[] }> {
    const { volumes, warnings } = await this.#plugins.list();
    const strangers = volumes.filter(({ name }) => this.#records.get(name) === undefined);
    return { volumes: [...(await this.list()), ...strangers], warnings };
  }

  /** The record of a volume; made now for one that only a plugin knows of: from here on somebody here needs it. */
  async #claim(name: string): Promise<VolumeRecord | undefined> {
    const stranger = await this.#stranger(name);
    if (stranger !== undefined) {
      const { driver, createdAt, labels, options, anonymous } = stranger;
      this.#records.insert({ name, driver, createdAt, labels, options, anonymous, layers: [] });
    }
    return this.#records.get(name);
  }

  /** A volume that only a plugin knows of. */
  async #stranger(name: string): Promise<Volume | undefined> {
    if (this.#records.get(name) !== undefined) return undefined;
    return (await this.#plugins.list()).volumes.find((volume) => volume.name === name);
  }

  async remove(name: string, options: { force?: boolean } = {}): Promise<void> {
    await this.#lock.run(name, async () => {
      const stranger = await this.#stranger(name);
      if (stranger !== undefined) return this.#plugins.remove(stranger);
      if (this.#records.get(name) === undefined && options.force) return;
      const record = this.#record(name);
      const users = this.#records.users(name);
      if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
      if (record.driver !== this.#driver.name) {
        await this.#removeFromPlugin(record, options.force ?? false);
        return;
      }
      // Record first: a crash after it leaves a directory that reconcile removes, never a volume without its data.
      this.#records.delete(name);
      await this.#driver.remove(name);
      await this.#layers.remove(this.#records.takeUnusedLayers());
    });
  }

  async acquire(name: string, user: string): Promise<void> {
    await this.#lock.run(name, async () => {
      await this.#claim(name);
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
    return this.#lock.run(name, () => this.#mounted.mount(this.#record(name), user));
  }

  async adopt(name: string, user: string): Promise<void> {
    if (this.#record(name).driver === this.#driver.name) {
      await this.mount(name, user);
      return;
    }
    this.#mounted.note(name, user);
  }

  async unmount(name: string, user: string): Promise<void> {
    await this.#lock.run(name, () => this.#mounted.unmount(name, this.#records.get(name), user));
  }

  async copyUp(name: string, source: string): Promise<void> {
    await this.#lock.run(name, async () => {
      const record = this.#record(name);
      const directory = this.#plugins.directory(name);
      const others = this.#mounted.users(name).length;
      const inPlace = directory !== undefined || others > 1 || isMounted(record);
      if (!inPlace) return this.#driver.copyUp(name, source);
      const target = directory ?? this.#driver.mountpoint(name);
      const interrupted = this.#records.isCopying(name);
      if (!interrupted && (await readdir(target)).length > 0) return;
      // Others see the directory, so it cannot be put there at one stroke: a copy that broke off is done again.
      this.#records.beginCopy(name);
      await this.#driver.copyInto(target, source);
      this.#records.endCopy(name);
    });
  }

  async size(name: string): Promise<number> {
    const record = this.#record(name);
    if (record.driver !== this.#driver.name) return -1;
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
      return this.#volume(await this.#clones.clone(from, to));
    });
  }

  async export(name: string, options: { signal?: AbortSignal } = {}): Promise<Readable> {
    const user = `export-${newId().slice(0, 12)}`;
    return withUndo(async (undo) => {
      await this.acquire(name, user);
      undo.push(() => this.release(user));
      const directory = await this.mount(name, user);
      undo.push(() => this.unmount(name, user));
      const archive = await this.#trees.pack(directory, '/', { rename: '.', exact: true, ...options });
      const letGo = () => this.unmount(name, user).finally(() => this.release(user));
      void finished(archive)
        .then(letGo, letGo)
        .catch(() => undefined);
      return archive;
    });
  }

  async import(
    name: string,
    archive: Readable,
    { labels = {}, signal }: { labels?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
  ): Promise<Volume> {
    this.#driver.check(name, {});
    await this.#mustTakeImport(name);
    const staged = await this.#driver.stage((directory) =>
      this.#trees.unpack(directory, '/', archive, { withBase: true, ...(signal ? { signal } : {}) }),
    );
    try {
      return await this.#lock.run(name, async () => {
        // Once more: somebody may have come to use it while the archive was read.
        await this.#mustTakeImport(name);
        await this.#driver.adopt(name, staged);
        if (this.#records.get(name) === undefined) {
          const driver = this.#driver.name;
          this.#records.insert({
            name,
            driver,
            createdAt: Date.now(),
            labels,
            options: {},
            anonymous: false,
            layers: [],
          });
        }
        return this.#volume(this.#record(name));
      });
    } catch (error) {
      await staged.discard();
      throw error;
    }
  }

  async rename(name: string, newName: string): Promise<Volume> {
    return this.#lockBoth(name, newName, async () => {
      if (this.#record(name).driver !== this.#driver.name)
        throw invalid(`rename ${name}: only local volumes can be renamed`);
      this.#driver.check(newName, {});
      this.#refuseTaken(newName);
      const users = this.#records.users(name);
      if (users.length > 0) throw conflict(`rename ${name}: volume is in use - [${users.join(', ')}]`);
      if (this.#mounted.users(name).length > 0) throw conflict(`rename ${name}: volume is mounted`);
      this.#records.rename(name, newName);
      await this.#driver.rename(name, newName);
      this.#records.settleMove(name);
      return this.#volume(this.#record(newName));
    });
  }

  /** The plugin first: while it still has the volume, so have we. With `force` its failure does not count. */
  async #removeFromPlugin(record: VolumeRecord, force: boolean): Promise<void> {
    try {
      await this.#plugins.remove(record);
    } catch (error) {
      if (!force) throw error;
    }
    this.#records.delete(record.name);
  }

  /** Moves and freezings whose record was written when the daemon died. */
  async #finishInterrupted(): Promise<void> {
    for (const move of this.#records.moves()) {
      await this.#driver.rename(move.old_name, move.new_name);
      this.#records.settleMove(move.old_name);
    }
    await this.#clones.finishInterrupted();
  }

  async #mustTakeImport(name: string): Promise<void> {
    const record = this.#records.get(name);
    if (record === undefined) return;
    if (Object.keys(record.options).length > 0 || record.driver !== this.#driver.name) {
      throw invalid(`import ${name}: only local volumes without options can be filled`);
    }
    const users = this.#mounted.users(name);
    if (users.length > 0) throw conflict(`import ${name}: volume is in use - [${users.join(', ')}]`);
    if (record.layers.length > 0 || !(await this.#driver.isEmpty(name))) {
      throw conflict(`import ${name}: the volume has data; import into a new or an empty volume`);
    }
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
    if (record.driver !== this.#driver.name) return { ...shown, ...this.#plugins.facts(record) };
    return { ...shown, mountpoint: this.#driver.mountpoint(record.name), scope: 'local' };
  }
}
