import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { access, chmod, chown, mkdir, open, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { conflict, errnoOf, invalid, isBerthError, KeyedLock, notFound, unavailable, withUndo } from '#base';
import { type Mounts, type Processes, spreadDirectories, syncFileSystem } from '#host';
import type { Database } from '#metadata';
import { SharedSync } from './shared-sync.ts';
import { SizedVolumes } from './sized-volumes.ts';
import type { MountOptions, SnapshotInfo, SnapshotMount, Snapshotter, SnapshotUsage } from './snapshot.ts';
import { type SnapshotRecord, SnapshotRecords } from './snapshot-records.ts';

/** What the overlay snapshotter needs. */
export interface OverlaySnapshotterOptions {
  readonly database: Database;
  /** Directory of the snapshots, made if missing; on a file system that can be an overlay's upper layer. */
  readonly root: string;
  /** A short path that becomes a symbolic link to `root` and is used for lower layers; default `root` itself. */
  readonly link?: string;
  readonly mounts: Mounts;
  readonly processes: Processes;
}

/**
 * Options of every overlay: no features that leave more in the upper directory than whiteouts and opaque marks
 * (kernel, overlayfs.rst), so that a layer made from it means the same everywhere.
 */
const overlayOptions = ['index=off', 'redirect_dir=off', 'metacopy=off'];
/** The page of options that mount(2) takes, less what is not a lower layer. */
const maxOptionBytes = 4095;
/** A new store begins below this number; small, as a mount of 128 layers names them all in one page. */
const firstNumbers = 1000;
const removedPrefix = 'removed-';

/** Makes the overlayfs snapshotter, and `root` and `link` where missing. */
export async function createOverlaySnapshotter(options: OverlaySnapshotterOptions): Promise<Snapshotter> {
  if (/[:,\\]/.test(`${options.root}${options.link ?? ''}`)) {
    throw invalid(`${options.root}: colon, comma and backslash cannot stand in the path of overlay layers`);
  }
  await mkdir(options.root, { recursive: true, mode: 0o700 });
  // Layers come and go: what a removed one leaves behind must not slow down the next.
  spreadDirectories(options.root);
  if (options.link !== undefined) await pointLink(options.link, options.root);
  return new OverlaySnapshotter(options);
}

/**
 * One directory per snapshot, `root/N/fs` for its files and `root/N/work` for overlayfs while it is active; with a size,
 * both in the volume of that directory. A directory is there before its record and goes after it.
 */
class OverlaySnapshotter implements Snapshotter {
  readonly driver = 'overlay2';
  readonly #options: OverlaySnapshotterOptions;
  readonly #records: SnapshotRecords;
  readonly #lock = new KeyedLock();
  readonly #sync: SharedSync;
  readonly #volumes: SizedVolumes;
  #lastNumber: number;

  constructor(options: OverlaySnapshotterOptions) {
    this.#options = options;
    this.#records = new SnapshotRecords(options.database);
    // ext4 picks a directory's region by its name: engines on one disk should not all begin in the same one.
    this.#lastNumber = this.#records.highestNumber() || randomInt(firstNumbers);
    this.#volumes = new SizedVolumes(options.mounts, options.processes);
    this.#sync = new SharedSync(() => syncFileSystem(options.root));
  }

  async stat(key: string): Promise<SnapshotInfo> {
    return info(this.#records.get(key));
  }

  async has(key: string): Promise<boolean> {
    return this.#records.find(key) !== undefined;
  }

  async prepare(key: string, parent?: string, { size }: { size?: number } = {}): Promise<SnapshotInfo> {
    return this.#lock.run(key, async () => {
      if (this.#records.find(key) !== undefined) throw conflict(`snapshot ${key} exists already`);
      const below = parent === undefined ? undefined : this.#committed(parent);
      return withUndo(async (undo) => {
        const number = this.#newDirectory();
        const place = this.#path(number);
        undo.push(() => rm(place, { recursive: true, force: true }));
        if (size === undefined) {
          await this.#makeTree(place, below);
        } else {
          await this.#volumes.create(place, size);
          await this.#volumes.use(place, () => this.#makeTree(this.#volumes.path(place), below));
        }
        const sized = size === undefined ? 0 : 1;
        this.#records.insertActive({ number, key, parent: below?.number, createdAt: Date.now(), sized });
        return info(this.#records.get(key));
      });
    });
  }

  async commit(name: string, key: string, options: { onto?: string; keepRoot?: boolean } = {}): Promise<SnapshotInfo> {
    if (name === key) throw conflict(`snapshot ${key} needs another name to be committed`);
    return this.#lock.run(name, async () => {
      const active = this.#records.get(key);
      if (active.kind !== 'active') throw conflict(`snapshot ${key} is committed already`);
      if (active.sized) throw conflict(`snapshot ${key} has a size of its own and cannot become a layer`);
      if (this.#records.find(name) === undefined) {
        const below = options.onto === undefined ? undefined : this.#committed(options.onto);
        if (below !== undefined && active.parent !== undefined) throw conflict(`snapshot ${key} has a parent already`);
        const files = join(this.#path(active.number), 'fs');
        if (below !== undefined && !options.keepRoot) await likeRoot(join(this.#path(below.number), 'fs'), files);
        const [usage] = await Promise.all([this.#measure(files), this.#sync.run()]);
        this.#records.commit(active.number, { name, parent: below?.number, createdAt: Date.now() });
        this.#records.setUsage(active.number, usage);
        await rm(join(this.#path(active.number), 'work'), { recursive: true, force: true });
      } else {
        await this.remove(key);
      }
      return info(this.#records.get(name));
    });
  }

  async mounts(key: string, options: MountOptions = {}): Promise<SnapshotMount[]> {
    const snapshot = this.#records.get(key);
    const readonly = options.readonly || snapshot.kind === 'committed';
    const [top = snapshot.number, ...lower] = this.#records.chain(snapshot.number);
    if (lower.length === 0) {
      const source = join(this.#place(snapshot), 'fs');
      return [{ type: 'bind', source, options: readonly ? ['bind', 'ro'] : ['bind'] }];
    }
    const shortRoot = this.#options.link ?? this.#options.root;
    const short = (number: number) =>
      `${snapshot.sized && number === top ? this.#volumes.path(`${shortRoot}/${number}`) : `${shortRoot}/${number}`}/fs`;
    const lowerdir = (readonly ? [top, ...lower] : lower).map(short).join(':');
    const upper = readonly
      ? ['ro']
      : [
          `upperdir=${join(this.#place(snapshot), 'fs')}`,
          `workdir=${join(this.#place(snapshot), 'work')}`,
          ...(options.volatile ? ['volatile'] : []),
        ];
    return [{ type: 'overlay', source: 'overlay', options: [...overlayOptions, ...upper, `lowerdir=${lowerdir}`] }];
  }

  async mount(key: string, target: string, options: MountOptions = {}): Promise<void> {
    const { number, sized } = this.#records.get(key);
    if (sized) await this.#volumes.use(this.#path(number), () => this.#mountKey(key, target, options));
    else await this.#mountKey(key, target, options);
  }

  async #mountKey(key: string, target: string, options: MountOptions): Promise<void> {
    try {
      await this.#mount(await this.mounts(key, options), target);
    } catch (error) {
      // A kernel that does not know `volatile`.
      if (!options.volatile || !isBerthError(error) || error.details.errno !== 'EINVAL') throw error;
      await this.#mount(await this.mounts(key, { ...options, volatile: false }), target);
    }
  }

  async unmount(target: string): Promise<void> {
    try {
      await this.#options.mounts.unmount(target);
    } catch (error) {
      // A program that outlived its daemon may be in there for a moment more: that must not hold up the next daemon.
      if (!isBerthError(error) || error.details.errno !== 'EBUSY') throw error;
      await this.#options.mounts.unmount(target, { detach: true });
    }
  }

  async directory(key: string): Promise<string> {
    const snapshot = this.#records.get(key);
    if (snapshot.sized) await this.#volumes.hold(this.#path(snapshot.number));
    return join(this.#place(snapshot), 'fs');
  }

  async usage(key: string): Promise<SnapshotUsage> {
    const snapshot = this.#records.get(key);
    const { bytes, inodes, disk } = snapshot;
    if (bytes !== null && inodes !== null && disk !== null) return { bytes, inodes, diskBytes: disk };
    const place = this.#path(snapshot.number);
    const files = join(this.#place(snapshot), 'fs');
    if (snapshot.sized) {
      const inside = await this.#volumes.use(place, () => this.#measure(files));
      return { ...inside, diskBytes: await this.#volumes.diskBytes(place) };
    }
    const measured = await this.#measure(files);
    if (snapshot.kind === 'committed') this.#records.setUsage(snapshot.number, measured);
    return measured;
  }

  async remove(key: string): Promise<void> {
    await this.#lock.run(key, async () => {
      const snapshot = this.#records.find(key);
      if (snapshot === undefined) return;
      if (!this.#records.remove(snapshot.number)) {
        throw conflict(`snapshot ${key} cannot be removed: another snapshot is made on it`);
      }
      await this.#discard(String(snapshot.number));
    });
  }

  async list(): Promise<SnapshotInfo[]> {
    return this.#records.list().map(info);
  }

  async reconcile(): Promise<{ removed: string[] }> {
    const removed: string[] = [];
    const broken = new Set<string>();
    const snapshots = this.#records.list();
    for (const snapshot of snapshots) {
      const whole = await exists(join(this.#path(snapshot.number), snapshot.sized ? 'disk' : 'fs'));
      if (!whole || (snapshot.parent !== undefined && broken.has(snapshot.parent))) broken.add(snapshot.key);
    }
    for (const snapshot of snapshots.toReversed()) {
      if (!broken.has(snapshot.key)) continue;
      this.#records.remove(snapshot.number);
      removed.push(snapshot.key);
    }
    const known = new Set(this.#records.list().map((snapshot) => String(snapshot.number)));
    for (const name of await readdir(this.#options.root)) {
      if (known.has(name)) continue;
      await this.#discard(name);
      removed.push(join(this.#options.root, name));
    }
    for (const snapshot of this.#records.list()) {
      // A crash between the record of a commit and this removal leaves the work directory.
      const work = join(this.#path(snapshot.number), 'work');
      if (snapshot.kind === 'committed') await rm(work, { recursive: true, force: true });
    }
    return { removed };
  }

  #path(number: number): string {
    return join(this.#options.root, String(number));
  }

  /** Where `fs` and `work` of a snapshot are. */
  #place({ number, sized }: SnapshotRecord): string {
    return sized ? this.#volumes.path(this.#path(number)) : this.#path(number);
  }

  async #makeTree(place: string, below: SnapshotRecord | undefined): Promise<void> {
    const files = join(place, 'fs');
    await mkdir(files, { mode: 0o755 });
    await mkdir(join(place, 'work'), { mode: 0o700 });
    if (below === undefined) await chmod(files, 0o755);
    else await likeRoot(join(this.#path(below.number), 'fs'), files);
  }

  /** Takes a number that no directory has: records and leftovers of a crash both count. */
  #newDirectory(): number {
    for (;;) {
      this.#lastNumber += 1;
      try {
        mkdirSync(this.#path(this.#lastNumber), { mode: 0o700 });
        return this.#lastNumber;
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
    }
  }

  #committed(key: string): SnapshotRecord {
    const found = this.#records.find(key);
    if (found?.kind !== 'committed') throw notFound(`parent snapshot ${key} does not exist or is not committed`);
    return found;
  }

  async #mount(mounts: readonly SnapshotMount[], target: string): Promise<void> {
    for (const mount of mounts) {
      if (Buffer.byteLength(mount.options.join(',')) <= maxOptionBytes) {
        await this.#options.mounts.mount({ ...mount, target });
      } else {
        await this.#mountByDescriptor(mount, target);
      }
    }
  }

  /** Names the layers through a descriptor of `root`, the shortest path there is, when a page is too small otherwise. */
  async #mountByDescriptor(mount: SnapshotMount, target: string): Promise<void> {
    const root = await open(this.#options.root, 'r');
    try {
      const short = `/proc/self/fd/${root.fd}/`;
      const long = new Set([`${this.#options.root}/`, `${this.#options.link ?? this.#options.root}/`]);
      const shorten = (option: string) => {
        const [, name, value] = /^((?:lower|upper|work)dir)=(.*)$/s.exec(option) ?? [];
        if (value === undefined) return option;
        const paths = value.split(':').map((path) => {
          const prefix = [...long].find((candidate) => path.startsWith(candidate));
          return prefix === undefined ? path : short + path.slice(prefix.length);
        });
        return `${name}=${paths.join(':')}`;
      };
      await this.#options.mounts.mount({ ...mount, options: mount.options.map(shorten), target });
    } finally {
      await root.close();
    }
  }

  /** Out of the numbers first: a removal that a crash interrupts is never taken for a snapshot. */
  async #discard(name: string): Promise<void> {
    const path = join(this.#options.root, name);
    await this.#volumes.discard(path);
    const doomed = name.startsWith(removedPrefix) ? path : join(this.#options.root, `${removedPrefix}${name}`);
    if (doomed !== path) await rename(path, doomed).catch(ignoreMissing);
    await rm(doomed, { recursive: true, force: true });
  }

  /** Sums file sizes, each inode once and directories as nothing, as Docker counts a layer. */
  async #measure(directory: string): Promise<SnapshotUsage> {
    // Only numbers are printed: a file's name can be anything.
    const found = await this.#options.processes.run('find', [directory, '-printf', '%d %y %i %s %b\\n']);
    if (found.code !== 0 && found.stdout === '') throw unavailable(`find ${directory}: ${found.stderr.trim()}`);
    const seen = new Set<string>();
    let bytes = 0;
    let blocks = 0;
    let inodes = 0;
    for (const line of found.stdout.split('\n')) {
      const [depth, type, inode, size, used] = line.split(' ');
      if (inode === undefined || seen.has(inode)) continue;
      seen.add(inode);
      blocks += Number(used);
      if (depth === '0') continue;
      inodes += 1;
      if (type !== 'd') bytes += Number(size);
    }
    return { bytes, inodes, diskBytes: blocks * 512 };
  }
}

function info({ key, kind, parent, createdAt }: SnapshotRecord): SnapshotInfo {
  return { key, kind, parent, createdAt };
}

/** The root of an overlay shows mode and owner of its uppermost directory: they must be those of the layer below. */
async function likeRoot(parent: string, directory: string): Promise<void> {
  const { mode, uid, gid } = await stat(parent);
  await chown(directory, uid, gid);
  await chmod(directory, mode & 0o7777);
}

async function pointLink(link: string, target: string): Promise<void> {
  await mkdir(dirname(link), { recursive: true, mode: 0o711 });
  try {
    await symlink(target, link);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    if ((await readlink(link)) === target) return;
    await rm(link);
    await symlink(target, link);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}
