import type { FollowedLayer, LayerArchiver, LayerFollower } from '#archive';
import { type Digest, newId } from '#base';
import type { Snapshotter } from '#snapshot';
import { unpackPrefix } from './unpack-prefix.ts';

/** Layers that are unpacked at a time beside the one that arrives; more wait until their blob is whole. */
const parallelLayers = 3;

/** What a {@link LayerStage} needs. */
export interface LayerStageOptions {
  readonly snapshots: Snapshotter;
  readonly archiver: Pick<LayerArchiver, 'follow'>;
}

/** A layer that was unpacked while it arrived: an active snapshot without a parent, to be committed or removed. */
export interface UnpackedLayer extends FollowedLayer {
  /** Key of the snapshot. */
  readonly key: string;
}

/** One blob on its way through the stage. */
export interface StagedBlob {
  /** Tells how much of the blob is in its file. */
  advance(file: { readonly path: string; readonly size: number }): void;
  /** Tells that the blob is whole and verified. Without this its layer is thrown away. */
  finish(digest: Digest): void;
  /** The blob will not become whole. */
  abandon(): void;
}

interface Entry {
  readonly key: string;
  readonly follower: LayerFollower;
  readonly done: Promise<FollowedLayer>;
}

/**
 * Unpacks the layers of one operation while their blobs are written, before it is known what they stand on or whether
 * anybody names them. What nobody took is removed by {@link LayerStage.close}; what a crash leaves, by the next start.
 */
export class LayerStage {
  readonly #options: LayerStageOptions;
  readonly #whole = new Map<Digest, Entry>();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #abandoned = new Set<Entry>();
  #running = 0;

  constructor(options: LayerStageOptions) {
    this.#options = options;
  }

  /** Begins with one blob. What turns out not to be a layer does no harm. */
  begin(): StagedBlob {
    let size = 0;
    let starting: Promise<Entry | undefined> | undefined;
    return {
      advance: (file) => {
        size = file.size;
        starting ??= this.#track(this.#start(file.path));
        void starting.then((entry) => entry?.follower.advance(size));
      },
      finish: (digest) => {
        if (starting === undefined) return;
        this.#track(
          starting.then((entry) => {
            if (entry === undefined) return;
            entry.follower.finish();
            if (this.#whole.has(digest)) this.#abandon(entry);
            else this.#whole.set(digest, entry);
          }),
        );
      },
      abandon: () => {
        if (starting !== undefined) this.#track(starting.then((entry) => entry && this.#abandon(entry)));
      },
    };
  }

  /** The unpacked form of a blob, which the caller then owns; undefined when it has to be unpacked from the blob. */
  async take(digest: Digest): Promise<UnpackedLayer | undefined> {
    await Promise.allSettled(this.#pending);
    const entry = this.#whole.get(digest);
    if (entry === undefined) return undefined;
    this.#whole.delete(digest);
    try {
      return { ...(await entry.done), key: entry.key };
    } catch {
      // Unpacking it from the whole blob tells what is wrong with it.
      await this.#options.snapshots.remove(entry.key);
      return undefined;
    }
  }

  /** Removes all that was not taken. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    for (const entry of this.#whole.values()) this.#abandon(entry);
    this.#whole.clear();
    for (const { key, done } of this.#abandoned) {
      await done.catch(() => undefined);
      await this.#options.snapshots.remove(key);
    }
    this.#abandoned.clear();
  }

  #abandon(entry: Entry): void {
    entry.follower.cancel();
    this.#abandoned.add(entry);
  }

  /** Undefined when enough is under way, or when it cannot be done: then the layer is unpacked later. */
  async #start(path: string): Promise<Entry | undefined> {
    if (this.#running >= parallelLayers) return undefined;
    this.#running += 1;
    const { snapshots, archiver } = this.#options;
    const key = `${unpackPrefix}${newId()}`;
    let follower: LayerFollower | undefined;
    try {
      await snapshots.prepare(key);
      follower = archiver.follow(path, await snapshots.directory(key));
    } catch {
      await snapshots.remove(key);
    } finally {
      if (follower === undefined) this.#running -= 1;
    }
    if (follower === undefined) return undefined;
    const done = follower.done.finally(() => {
      this.#running -= 1;
    });
    done.catch(() => undefined);
    return { key, follower, done };
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const settled = work
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
    return work;
  }
}
