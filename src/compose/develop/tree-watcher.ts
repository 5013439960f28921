import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, unavailable } from '#base';

/** What of the file system a {@link TreeWatcher} looks at. */
export interface TreeWatcherOptions {
  /** Absolute paths of files and directories; those that do not exist yet are noticed when they appear. */
  readonly paths: readonly string[];
  /** Directories that are not worth a look: nothing below them is watched. */
  readonly skips: (directory: string) => boolean;
  /** Milliseconds without a change after which those before it are told (default 100). */
  readonly quiet?: number;
  /** Milliseconds after which changes are told though they do not stop (default 2000). */
  readonly longest?: number;
}

/** Whether `path` is `root` or below it. */
export function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
}

/**
 * Notices changes in files and directory trees by inotify, one watch per directory. Changes that come close together
 * are told together; while the reader is busy with some, the next gather.
 */
export class TreeWatcher implements Disposable {
  readonly #options: TreeWatcherOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = new Set<string>();
  #firstChange = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #failure: unknown;
  #wake: () => void = () => undefined;

  constructor(options: TreeWatcherOptions) {
    this.#options = options;
  }

  /** Begins to watch; what is there already does not count as a change. Throws `unavailable` when the kernel has no watches left. */
  async open(): Promise<void> {
    for (const root of this.#options.paths) await this.#enter(await firstExisting(root), false);
  }

  /** Sets of absolute paths that were written, made or removed, until the watcher is closed. Throws as `open` does. */
  async *batches(): AsyncGenerator<readonly string[]> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#schedule();
      });
      if (this.#failure !== undefined) throw this.#failure;
      const batch = [...this.#changed].sort();
      this.#changed = new Set();
      this.#firstChange = 0;
      if (batch.length > 0 && !this.#closed) yield batch;
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#wake();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#failure !== undefined || this.#closed) this.#wake();
    else if (this.#changed.size > 0) this.#timer = setTimeout(() => this.#wake(), this.#delay());
  }

  /** Until things are quiet, but not for ever. */
  #delay(): number {
    const { quiet = 100, longest = 2000 } = this.#options;
    const left = Math.max(0, this.#firstChange + longest - Date.now());
    return Math.min(quiet, left);
  }

  #tell(path: string): void {
    if (this.#changed.size === 0) this.#firstChange = Date.now();
    this.#changed.add(path);
    this.#schedule();
  }

  #isWanted(path: string): boolean {
    return this.#options.paths.some((root) => isWithin(root, path));
  }

  #leadsToRoot(path: string): boolean {
    return this.#options.paths.some((root) => isWithin(path, root));
  }

  /** Watches a directory and all below; with `tell`, for one that is new, its contents are changes. */
  async #enter(path: string, tell: boolean): Promise<void> {
    const wanted = this.#isWanted(path);
    if (this.#closed || (!wanted && !this.#leadsToRoot(path)) || (wanted && this.#options.skips(path))) return;
    const stats = await lstat(path).catch(() => undefined);
    // A file is watched by its directory: editors replace it, and a watch would stay with the file that is gone.
    if (stats?.isDirectory() !== true) {
      if (this.#options.paths.includes(path)) this.#watch(dirname(path));
      return;
    }
    // Watched before it is read: what appears in between is seen twice rather than never.
    this.#watch(path);
    if (this.#options.paths.includes(path)) this.#watch(dirname(path));
    for (const name of await readdir(path).catch((): string[] => [])) {
      const inside = join(path, name);
      if (tell && this.#isWanted(inside)) this.#tell(inside);
      await this.#enter(inside, tell);
    }
  }

  #watch(directory: string): void {
    if (this.#closed || this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: true }, (_event, name) => {
        const path = name === null ? directory : join(directory, name);
        if (!this.#isWanted(path) && !this.#leadsToRoot(path)) return;
        this.#look(directory, path).catch((error: unknown) => this.#fail(error));
      });
      watcher.on('error', () => this.#leave(directory));
      this.#watchers.set(directory, watcher);
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENOENT') return;
      if (code !== 'ENOSPC' && code !== 'EMFILE') throw error;
      throw unavailable(
        `cannot watch ${directory}: the limit of watched directories is reached; raise the sysctl fs.inotify.max_user_watches (or max_user_instances), or leave directories out with "ignore"`,
        { cause: error },
      );
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#schedule();
  }

  /** Finds out what an event means: the name alone does not say whether something came or went. */
  async #look(directory: string, path: string): Promise<void> {
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined) {
      this.#leave(path);
      // A directory that is removed reports its own name, as if something in it had gone. Another may have taken its place.
      if (basename(path) === basename(directory)) {
        this.#leave(directory);
        return this.#enter(directory, true);
      }
    }
    if (this.#isWanted(path)) this.#tell(path);
    if (stats?.isDirectory() === true && !this.#watchers.has(path)) await this.#enter(path, true);
  }

  #leave(path: string): void {
    for (const [directory, watcher] of this.#watchers) {
      if (!isWithin(path, directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
  }
}

/** The path itself or the nearest directory above it that exists. */
async function firstExisting(path: string): Promise<string> {
  for (let candidate = path; ; candidate = dirname(candidate)) {
    const stats = await lstat(candidate).catch(() => undefined);
    if (stats !== undefined || candidate === '/') return candidate;
  }
}
