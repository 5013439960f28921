import type { Readable } from 'node:stream';
import type { Digest } from '#base';

/** How a layer blob is packed. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** Result of applying or making a layer. */
export interface LayerFacts {
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
}

/** What is known of a layer that was applied while its blob was written. */
export interface FollowedLayer {
  /** Digest of the uncompressed tar; undefined when the blob is that tar itself. */
  readonly diffId: Digest | undefined;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** Whether the archive has an entry for its root directory. */
  readonly hasRoot: boolean;
}

/** A layer being applied from a file that still grows. */
export interface LayerFollower {
  /** Tells that the first `size` bytes are in the file. */
  advance(size: number): void;
  /** Tells that the file is complete. */
  finish(): void;
  /** Asks it to stop soon. Harmless after the end. */
  cancel(): void;
  /** Ends when all is applied; throws as {@link LayerArchiver.apply}. */
  readonly done: Promise<FollowedLayer>;
}

/** Bounds that guard against archives made to fill a disk. */
export interface LayerLimits {
  /** Members at most. */
  readonly entries: number;
  /** Bytes of the uncompressed archive at most; also of all files together, with the holes of sparse ones. */
  readonly size: number;
}

/**
 * Layer work, done in worker threads so that the event loop never hashes or walks a tree. Input is hostile: every
 * entry stays inside its target. `..` in names, and parents or hard links that lead out, throw `invalid` naming the
 * entry; an absolute name counts from the target, as Docker has it.
 */
export interface LayerArchiver {
  /**
   * Unpacks the layer blob at `blobPath` into the empty directory `target`, in overlay form (whiteouts become char 0/0
   * devices, opaque markers the `trusted.overlay.opaque` xattr). Compression is found from the bytes.
   * Throws `invalid` for a bad archive, and when `expectedDiffId` is given and differs; `target` is then in any state.
   */
  apply(
    blobPath: string,
    target: string,
    options?: { expectedDiffId?: Digest; signal?: AbortSignal },
  ): Promise<LayerFacts>;
  /**
   * As {@link LayerArchiver.apply}, from a file that is still being written. Nothing is verified but what `done` tells:
   * the caller compares it. The file may be renamed or removed meanwhile. Throws when it cannot be opened.
   */
  follow(blobPath: string, target: string, options?: { signal?: AbortSignal }): LayerFollower;
  /**
   * Writes the changes in the overlay upper directory `upper` as an OCI layer tar to the new file `output`
   * (uncompressed, entries sorted by path, whiteouts as `.wh.` files; same tree, same bytes).
   */
  diff(upper: string, output: string, options?: { signal?: AbortSignal }): Promise<LayerFacts>;
}

/** Options of {@link TreeArchiver.pack}. */
export interface PackOptions {
  /**
   * Name that the first entry gets in the archive; default the base name of the path (`/` for the root, `.` for a path
   * that ends in `/.`). With the empty name a directory has no entry itself and its members stand at the top.
   */
  readonly rename?: string;
  /** Entries for which this returns false are left out, with all below them; paths are relative to the packed one. */
  readonly filter?: (path: string) => boolean;
  /**
   * For moving a tree as it is: times to the nanosecond, the holes of sparse files as holes, and access control lists,
   * none of which `docker cp` has. Default false.
   */
  readonly exact?: boolean;
  readonly signal?: AbortSignal;
}

/** Options of {@link TreeArchiver.unpack}. */
export interface UnpackOptions {
  /** Refuse to replace a directory by a file and the other way round (Docker's `noOverwriteDirNonDir`). */
  readonly noOverwriteDirNonDir?: boolean;
  /** Give the directory itself what the entry for it (`./`) says: owner, mode, times, attributes. Default false. */
  readonly withBase?: boolean;
  /** Keep the archive's uid and gid (default true); false gives everything to `owner` or root. */
  readonly keepOwner?: boolean;
  readonly owner?: { uid: number; gid: number };
  readonly signal?: AbortSignal;
}

/** What {@link LayerArchiver} and {@link TreeArchiver} share: a few worker threads. */
export interface ArchiverOptions {
  /** Worker threads at most; default 2. They start when needed and end when idle. */
  readonly workers?: number;
  /** Milliseconds after which an idle worker ends; default 5000. */
  readonly idleTimeout?: number;
  /** Default 5,000,000 entries and 256 GiB. An archive beyond them is `invalid`. */
  readonly limits?: Partial<LayerLimits>;
}

/** Tar streams of file trees, resolved inside a root as the container would see it (symlinks never lead out). */
export interface TreeArchiver {
  /**
   * A tar of `path` (file or directory) inside `root`, times to the second unless `exact`. A symlink at its end is packed itself, or
   * followed when a slash comes after it. Throws `not-found` before it returns.
   */
  pack(root: string, path: string, options?: PackOptions): Promise<Readable>;
  /**
   * Unpacks a tar (plain, gzip, zstd, bzip2 or xz) into the directory `path` inside `root`. Throws `invalid`
   * on `..` in names, when `path` is no directory, and for bad archives; `not-found` when `path` does not exist. The
   * entry for the directory itself (`./`) is left out, unless `withBase`. `archive` is read to its end, or after a failure left as it is,
   * neither read on nor destroyed.
   */
  unpack(root: string, path: string, archive: Readable, options?: UnpackOptions): Promise<void>;
}
