import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '#base';
import type { HostTrees } from '#host';

/**
 * Sources of binds that are taken from the host's own mount table: those through which mounts shall spread (`shared`,
 * `slave`), and those without the mounts below them (crun takes these along in any case). They stand below the exec root
 * while a container is made from them, and go as soon as it has them.
 */
export class HostSources {
  readonly #trees: HostTrees | undefined;
  readonly #directory: string;
  /** Targets in use, by container. */
  readonly #held = new Map<string, string[]>();

  /** `directory` gets `ID-N`. Without `trees` sources are used as they are. */
  constructor(trees: HostTrees | undefined, directory: string) {
    this.#trees = trees;
    this.#directory = directory;
  }

  /**
   * The path to bind in place of `source`. Throws `invalid` with Docker's texts where the host's mount does not spread as
   * `propagation` (a word of mount(8)) needs it.
   */
  async acquire(
    container: string,
    source: string,
    options: { readonly propagation: string; readonly recursive: boolean },
  ): Promise<string> {
    const { propagation, recursive } = options;
    const spreads = /^r?(shared|slave)$/.test(propagation);
    if (this.#trees === undefined || (recursive && !spreads)) return source;
    if (spreads) await this.#mustSpread(this.#trees, source, propagation);
    const held = this.#held.get(container) ?? [];
    const target = join(this.#directory, `${container}-${held.length}`);
    this.#held.set(container, [...held, target]);
    await this.#trees.attach(source, target, { recursive });
    return target;
  }

  async #mustSpread(trees: HostTrees, source: string, propagation: string): Promise<void> {
    const place = await trees.locate(source);
    const has = (kind: string) => place.propagation.some((word) => word.startsWith(kind));
    const both = propagation.endsWith('shared');
    if (has('shared:') || (!both && has('master:'))) return;
    const wanted = both ? 'shared mount' : 'shared or slave mount';
    throw invalid(`path ${source} is mounted on ${place.mountpoint} but it is not a ${wanted}`);
  }

  /** Takes away all that was acquired for a container; nothing is a success. */
  async release(container: string): Promise<void> {
    const held = this.#held.get(container) ?? [];
    this.#held.delete(container);
    for (const target of held) await this.#trees?.detach(target);
  }

  /** Takes away what an earlier daemon left. */
  async reconcile(): Promise<void> {
    for (const name of await readdir(this.#directory)) await this.#trees?.detach(join(this.#directory, name));
  }
}
