import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { errnoOf, invalid, isBerthError, messageOf, newId, unavailable } from '#base';
import { type Mounts, type Processes, syncFileSystem } from '#host';
import { findFileServer, isRemote } from './file-server.ts';
import { layersDirectory } from './volume-layers.ts';
import { checkVolumeName } from './volume-name.ts';

/** Options of one local volume, checked. */
type LocalOptions = Readonly<Record<string, string>>;

/** Data that is complete and not yet of a volume. */
export interface StagedData {
  readonly directory: string;
  discard(): Promise<void>;
}

const known = new Set(['type', 'o', 'device', 'size']);

/**
 * The `local` driver: a directory `ROOT/NAME/_data`, or whatever mount the options `type`, `device` and `o` describe,
 * mounted there while a container uses the volume.
 */
export class LocalDriver {
  readonly name = 'local';
  readonly #root: string;
  readonly #mounts: Mounts;
  readonly #processes: Processes;

  constructor(options: { root: string; mounts: Mounts; processes: Processes }) {
    this.#root = options.root;
    this.#mounts = options.mounts;
    this.#processes = options.processes;
  }

  /** The directory containers see. */
  mountpoint(volume: string): string {
    return join(this.#root, volume, '_data');
  }

  /** Throws `invalid` with Docker's texts. */
  check(volume: string, options: LocalOptions): void {
    checkVolumeName(volume);
    const stranger = Object.keys(options).find((option) => !known.has(option));
    if (stranger !== undefined) throw invalid(`create ${volume}: invalid option: "${stranger}"`);
    if (options.type === undefined && options.o === undefined && options.device === undefined) return;
    for (const needed of ['device', 'type']) {
      if (!options[needed]) throw invalid(`create ${volume}: missing required option: "${needed}"`);
    }
  }

  /** Makes the directories. Doing it again is harmless. */
  async create(volume: string): Promise<void> {
    await mkdir(this.mountpoint(volume), { recursive: true, mode: 0o755 });
  }

  /** Deletes all data. The rename first makes a crash in the middle leave garbage, never half a volume. */
  async remove(volume: string): Promise<void> {
    await this.unmount(volume);
    const doomed = join(this.#root, `.removed-${newId().slice(0, 12)}`);
    try {
      await rename(join(this.#root, volume), doomed);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      throw error;
    }
    await rm(doomed, { recursive: true, force: true });
  }

  /** Names with a directory on disk; `garbage` are the leavings of interrupted removals and copies. */
  async list(): Promise<{ volumes: string[]; garbage: string[] }> {
    const entries = await readdir(this.#root, { withFileTypes: true });
    const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    return {
      volumes: directories.filter((name) => !name.startsWith('.')),
      garbage: directories
        .filter((name) => name.startsWith('.') && name !== layersDirectory)
        .map((name) => join(this.#root, name)),
    };
  }

  /** Mounts what the options describe; a plain volume needs nothing. Mounted already is a success. */
  async mount(volume: string, options: LocalOptions): Promise<void> {
    if (options.type === undefined) return;
    const target = this.mountpoint(volume);
    if ((await this.#mounts.list()).some((entry) => entry.target === target)) return;
    try {
      await this.#mounts.mount(await mountRequest(target, options));
    } catch (error) {
      throw unavailable(
        `error while mounting volume '${target}': failed to mount local volume: mount ${options.device}:${target}, ` +
          `data: ${options.o ?? ''}: ${reasonOf(error)}${remedyOf(error, options.type)}`,
        { cause: error },
      );
    }
  }

  /** Moves the directories of a volume that nothing has mounted. Gone already is a success. */
  async rename(volume: string, newName: string): Promise<void> {
    await rename(join(this.#root, volume), join(this.#root, newName)).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
  }

  /** Makes `target` a full copy of what containers see of `source` now. */
  async copy(source: string, target: string): Promise<void> {
    await mkdir(join(this.#root, target), { recursive: true });
    await this.#copy(this.mountpoint(source), this.mountpoint(target));
  }

  /** True when containers would see nothing in it; without a directory too. For a volume that nothing has mounted. */
  async isEmpty(volume: string): Promise<boolean> {
    return (await readdir(this.mountpoint(volume)).catch(() => [])).length === 0;
  }

  /**
   * Makes a directory for data that `fill` writes, on disk when it resolves. {@link adopt} makes it a volume's, `discard`
   * or the next start removes it.
   */
  async stage(fill: (directory: string) => Promise<void>): Promise<StagedData> {
    const staged = join(this.#root, `.import-${newId().slice(0, 12)}`);
    const discard = () => rm(staged, { recursive: true, force: true });
    try {
      await mkdir(join(staged, '_data'), { recursive: true, mode: 0o755 });
      await fill(join(staged, '_data'));
      await syncFileSystem(staged);
    } catch (error) {
      await discard();
      throw error;
    }
    return { directory: join(staged, '_data'), discard };
  }

  /** Puts staged data in the place of an empty volume's at one stroke. */
  async adopt(volume: string, staged: StagedData): Promise<void> {
    await mkdir(join(this.#root, volume), { recursive: true, mode: 0o755 });
    await rename(staged.directory, this.mountpoint(volume));
    await staged.discard();
    await syncFileSystem(this.#root);
  }

  /** Undoes {@link mount}; nothing mounted is a success. */
  async unmount(volume: string): Promise<void> {
    await this.#mounts.unmount(this.mountpoint(volume), { detach: true });
  }

  /** See `VolumeService.copyUp`; for a volume that nobody else sees. The rename makes it all or nothing. */
  async copyUp(volume: string, source: string): Promise<void> {
    const target = this.mountpoint(volume);
    if ((await readdir(target)).length > 0) return;
    const copy = join(this.#root, `.copy-${newId().slice(0, 12)}`);
    try {
      await this.#copy(source, copy);
      await rename(copy, target);
    } catch (error) {
      await rm(copy, { recursive: true, force: true });
      throw error;
    }
  }

  /** Copies `source` over what is in the directory `target`. */
  async copyInto(target: string, source: string): Promise<void> {
    await this.#copy(source, target);
  }

  /** Bytes allocated in these directories. */
  async size(volume: string, directories: readonly string[] = [this.mountpoint(volume)]): Promise<number> {
    const { code, stdout, stderr } = await this.#processes.run('du', ['-cxsB1', '--', ...directories]);
    if (code !== 0) throw unavailable(`volume ${volume}: cannot measure its size: ${stderr.trim()}`);
    return Number.parseInt(stdout.trim().split('\n').at(-1) ?? '', 10);
  }

  async #copy(source: string, target: string): Promise<void> {
    // cp keeps owners, modes, times, xattrs, hard links and devices, and runs outside our event loop.
    // It ends with us: what a later daemon clears away or does again must not go on growing.
    const copy = ['cp', '-aT', '--reflink=auto', '--', source, target];
    const { code, stderr } = await this.#processes.run('setpriv', ['--pdeathsig', 'KILL', ...copy]);
    if (code !== 0) throw unavailable(`cannot copy ${source} into a volume: ${stderr.trim()}`);
  }
}

/** What to do where the kernel has no such file system. */
function remedyOf(error: unknown, type: string): string {
  return errnoOf(error) === 'ENODEV'
    ? `: this kernel knows no file system "${type}" (load it with "modprobe ${type}", or boot a kernel that has it)`
    : '';
}

/** The system's words for what went wrong: `no such device`. */
function reasonOf(error: unknown): string {
  const errno = isBerthError(error) ? error.details.errno : undefined;
  return [...getSystemErrorMap().values()].find(([name]) => name === errno)?.[1] ?? messageOf(error);
}

async function mountRequest(target: string, options: LocalOptions) {
  const words = (options.o ?? '').split(',').filter(Boolean);
  const type = options.type ?? '';
  if (type === 'none' && !words.some((word) => word === 'bind' || word === 'rbind')) words.push('bind');
  const found = isRemote(type) ? await findFileServer(type, words) : words;
  return { type, source: options.device ?? '', target, options: found };
}
