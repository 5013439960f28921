import { constants, existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '#base';
import { readKernelFile } from './kernel-file.ts';

/** One mounted cgroup hierarchy. Version 2 has one for everything; version 1 one per controller (or set of them). */
export interface CgroupHierarchy {
  readonly mountpoint: string;
  /** v1: the controllers of this hierarchy, or `name=systemd`. v2: those listed in `cgroup.controllers`. */
  readonly controllers: readonly string[];
}

/** How this host lays out cgroups. `hybrid` is v1 with a v2 hierarchy beside it. */
export interface CgroupLayout {
  readonly kind: 'v1' | 'hybrid' | 'v2';
  readonly hierarchies: readonly CgroupHierarchy[];
  /**
   * v1 only: the place of a v2 hierarchy that is not mounted, so an ordinary directory. crun takes it for one and
   * leaves a directory for each container there.
   */
  readonly unmounted?: string;
}

/** Reads the layout from mountinfo. Do it once: it does not change while a daemon lives. */
export async function detectCgroups(): Promise<CgroupLayout> {
  const hierarchies: CgroupHierarchy[] = [];
  let unified: string | undefined;
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    const [left, right] = line.split(' - ');
    const mountpoint = left?.split(' ')[4];
    const [type, , superOptions] = right?.split(' ') ?? [];
    if (mountpoint === undefined) continue;
    if (type === 'cgroup2') unified ??= mountpoint;
    if (type !== 'cgroup') continue;
    const controllers = (superOptions ?? '')
      .split(',')
      .filter((option) => !/^(rw|ro|xattr|release_agent.*)$/.test(option));
    if (!hierarchies.some((other) => other.controllers.some((name) => controllers.includes(name)))) {
      hierarchies.push({ mountpoint, controllers });
    }
  }
  if (hierarchies.length > 0 && unified !== undefined) return { kind: 'hybrid', hierarchies };
  if (hierarchies.length > 0) {
    const empty = join(dirname(hierarchies[0]?.mountpoint ?? ''), 'unified');
    return { kind: 'v1', hierarchies, ...(existsSync(empty) ? { unmounted: empty } : {}) };
  }
  if (unified === undefined) return { kind: 'v1', hierarchies };
  const controllers = await readFile(join(unified, 'cgroup.controllers'), 'utf8').catch(() => '');
  return { kind: 'v2', hierarchies: [{ mountpoint: unified, controllers: controllers.split(/\s+/).filter(Boolean) }] };
}

/** One cgroup, by its path from the root of each hierarchy. */
export class Cgroup {
  readonly #layout: CgroupLayout;
  /** Such as `/berth/ID`. */
  readonly path: string;

  constructor(layout: CgroupLayout, path: string) {
    this.#layout = layout;
    this.path = path;
  }

  /** True on a pure v2 host, whose files have other names. */
  get unified(): boolean {
    return this.#layout.kind === 'v2';
  }

  /** Content of a control file; undefined when the file, the cgroup or the controller is missing. */
  async read(controller: string, file: string): Promise<string | undefined> {
    const directory = this.#directory(controller);
    if (directory === undefined) return undefined;
    return await readFile(join(directory, file), 'utf8').catch(ignoreGone);
  }

  /** As {@link Cgroup.read}, at once: for counters, of which many are read in a row. */
  readNow(controller: string, file: string): string | undefined {
    const directory = this.#directory(controller);
    return directory === undefined ? undefined : readKernelFile(`${directory}/${file}`);
  }

  /** Writes a control file; false when it is missing. */
  async write(controller: string, file: string, value: string): Promise<boolean> {
    const directory = this.#directory(controller);
    if (directory === undefined) return false;
    try {
      await writeFile(join(directory, file), value, { flag: constants.O_WRONLY });
      return true;
    } catch (error) {
      ignoreGone(error);
      return false;
    }
  }

  /** Pids of all processes in it and below; empty when it is gone. */
  async pids(): Promise<number[]> {
    const directory = this.#directory('pids') ?? this.#directory('devices') ?? this.#directories()[0];
    return directory === undefined ? [] : [...new Set(await pidsBelow(directory))];
  }

  /** Pids in any of its hierarchies: a process may have been left in one of them only. */
  async pidsAnywhere(): Promise<number[]> {
    const found = await Promise.all(this.#directories().map(pidsBelow));
    return [...new Set(found.flat())];
  }

  /** True when it exists in any hierarchy. */
  async exists(): Promise<boolean> {
    const found = await Promise.all(
      this.#directories().map((directory) =>
        readdir(directory).then(
          () => true,
          () => false,
        ),
      ),
    );
    return found.includes(true);
  }

  /** Removes its directories, those below first. Gone is a success; EBUSY (processes left) is thrown. */
  async remove(): Promise<void> {
    for (const directory of this.#directories()) await removeTree(directory);
    const { unmounted } = this.#layout;
    if (unmounted !== undefined) await rm(join(unmounted, this.path), { recursive: true, force: true });
  }

  #directory(controller: string): string | undefined {
    const { kind, hierarchies } = this.#layout;
    const hierarchy = kind === 'v2' ? hierarchies[0] : hierarchies.find((one) => one.controllers.includes(controller));
    return hierarchy && join(hierarchy.mountpoint, this.path);
  }

  #directories(): string[] {
    return this.#layout.hierarchies.map((hierarchy) => join(hierarchy.mountpoint, this.path));
  }
}

function ignoreGone(error: unknown): undefined {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ENODEV') return undefined;
  throw error;
}

async function children(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(ignoreGone);
  return (entries ?? []).filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
}

async function pidsBelow(directory: string): Promise<number[]> {
  const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'EOPNOTSUPP') return ''; // a threaded v2 cgroup
    return ignoreGone(error);
  });
  const own = (text ?? '').split('\n').filter(Boolean).map(Number);
  const below = await Promise.all((await children(directory)).map(pidsBelow));
  return own.concat(...below);
}

async function removeTree(directory: string): Promise<void> {
  for (const child of await children(directory)) await removeTree(child);
  await rmdir(directory).catch(ignoreGone);
}
