import type { Readable } from 'node:stream';
import type { Actor, Digest } from '#base';
import type { Descriptor, HistoryEntry, ImageConfig, ImageRunConfig, Platform } from '#oci';

/** One image of this platform in the store. */
export interface Image {
  /** Digest of the config: what Docker calls the image id. */
  readonly id: Digest;
  /** Digest of the manifest it is pushed and referred to by. */
  readonly manifestDigest: Digest;
  readonly config: ImageConfig;
  /** Layer blobs, base first. */
  readonly layers: readonly Descriptor[];
  /** Names with tags, canonical (`docker.io/library/debian:latest`). */
  readonly tags: readonly string[];
  /** Names with digests it was pulled or pushed by, canonical. */
  readonly repoDigests: readonly string[];
  /** Bytes of all its layers unpacked. */
  readonly size: number;
  /** Image it was built on, when it was built here. */
  readonly parent: Digest | undefined;
  /** When a tag was last put on it, ms since the epoch; 0 if never. */
  readonly lastTaggedAt: number;
}

/** A step of slow work. The API turns these into Docker's progress messages. */
export interface Progress {
  /** What the line is about: short layer id, or tag. */
  readonly id?: string;
  /** Docker's words: `Pulling fs layer`, `Downloading`, `Pull complete`, ... */
  readonly status: string;
  readonly current?: number;
  readonly total?: number;
  /** Machine-readable result, such as the pushed digest. */
  readonly aux?: unknown;
}

/** Called for each progress step; must not throw. */
export type OnProgress = (progress: Progress) => void;

/** Credentials as a client sent them (X-Registry-Auth). */
export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
  readonly serverAddress?: string;
}

/** What a removal did, in Docker's order. */
export type ImageRemoval = { readonly untagged: string } | { readonly deleted: Digest };

/** Reading the store. Every method that takes a name accepts a tag, digest, image id or unambiguous id prefix. */
export interface ImageReader {
  /** Throws `not-found` ("No such image: NAME"), `invalid` for a bad name. */
  get(name: string): Promise<Image>;
  list(): Promise<Image[]>;
  /** Unpacked bytes of each image's layers that other images have too, by image id; `size` counts the same way. */
  sharedSizes(): Promise<ReadonlyMap<Digest, number>>;
  /** History newest first, with the unpacked size of each layer. */
  history(
    name: string,
  ): Promise<(HistoryEntry & { readonly size: number; readonly id: string; readonly tags: readonly string[] })[]>;
  /**
   * Makes sure that the image's layers are unpacked and returns the snapshot key (chain id) to prepare containers on;
   * undefined for an image without layers.
   */
  unpack(image: Image): Promise<string | undefined>;
}

/** Changing names and removing. */
export interface ImageNames {
  /** Throws `not-found`, `invalid`. Moves the tag when another image has it. */
  tag(source: string, target: string): Promise<void>;
  /**
   * Docker's rules: a name untags, the last name or an id also deletes with all parents nobody needs.
   * `inUse` tells which containers (id, running) use an image; Docker's conflict texts otherwise.
   */
  remove(
    name: string,
    options: { force: boolean; noPrune: boolean; inUse: (id: Digest) => { id: string; running: boolean }[] },
  ): Promise<ImageRemoval[]>;
}

/** How to talk to a registry, and who wants to hear of it. */
export interface PushOptions {
  /** The name has no tag, and stands for all tags of its repository. */
  readonly allTags?: boolean;
  readonly credentials?: RegistryCredentials;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** How to pull. */
export interface PullOptions extends PushOptions {
  readonly platform?: Platform | undefined;
}

/** Bringing images in and out. */
export interface ImageTransfer {
  /**
   * Throws `not-found`, `unauthorized`, `unavailable`; nothing half-pulled becomes visible. With `allTags` all tags of
   * the repository, one after the other; the last image is returned.
   */
  pull(name: string, options: PullOptions): Promise<Image>;
  /**
   * Pushes a tag, or with `allTags` all that this store has of the repository; progress tells each digest. Throws
   * `not-found` when there is none, and as pull.
   */
  push(name: string, options: PushOptions): Promise<{ digest: Digest; size: number }>;
  /** A docker-archive that also is an OCI layout (docker 25+ form). Throws `not-found` before it returns. */
  save(names: readonly string[], options?: { platform?: Platform; signal?: AbortSignal }): Promise<Readable>;
  /**
   * Loads docker-archive or OCI layout; returns what was loaded. With `platform` only images for it, else those for this
   * machine. Throws `invalid`.
   */
  load(
    archive: Readable,
    options: { onProgress: OnProgress; platform?: Platform; signal?: AbortSignal },
  ): Promise<{ image: Image; tags: string[] }[]>;
  /** Makes an image of one layer from a root file system tar. */
  import(
    archive: Readable,
    options: { target?: string; config?: ImageRunConfig; message?: string; platform?: Platform; signal?: AbortSignal },
  ): Promise<Image>;
}

/** A layer made here: a tar in the content store and its unpacked snapshot. */
export interface NewLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** Making images from layers made here: used by the builder and by commit. */
export interface ImageMaker {
  /**
   * Runs `body` as one operation: layers and blobs made in it stay until it ends, whether an image names them by then
   * or not. Making a layer outside of one invites the garbage collector.
   */
  holding<T>(body: () => Promise<T>): Promise<T>;
  /**
   * Takes the active snapshot `key` (prepared on `parentChain`), writes its changes as a layer blob, and commits the
   * snapshot under its chain id. Returns undefined, and drops the snapshot, when `skipEmpty` and nothing changed.
   */
  commitLayer(
    key: string,
    parentChain: string | undefined,
    options?: { skipEmpty?: boolean },
  ): Promise<(NewLayer & { chainId: string }) | undefined>;
  /** Stores config and manifest for layers that are in the store; puts `tags` on it. */
  create(
    config: ImageConfig,
    layers: readonly Descriptor[],
    options?: { tags?: readonly string[]; parent?: Digest },
  ): Promise<Image>;
}

/** One line of a tag's log: what it pointed to from `at` (ms since the epoch) on. */
export interface ImageVersion {
  /** Undefined from when the tag was removed. */
  readonly image: Digest | undefined;
  readonly manifest: Digest | undefined;
  readonly at: number;
  /** Who moved the tag. */
  readonly actor: Actor;
  /** Whether the image is still in the store. */
  readonly isPresent: boolean;
}

/** What tags pointed to, and going back. */
export interface ImageVersions {
  /** Newest first, the present one at index 0. Throws `invalid`, and `not-found` for a name that was never a tag. */
  versions(name: string): Promise<ImageVersion[]>;
  /**
   * Points the tag to the version before, to the one that many lines down its log, or to the one whose image or manifest
   * digest begins so. Throws `not-found` when there is none, or its image is gone.
   */
  rollBack(name: string, to?: string): Promise<Image>;
  /** Images that prune leaves alone although nothing uses them: the newest versions of each tag. */
  keptVersions(): Promise<ReadonlySet<Digest>>;
}

/** What an image is made of in the content store. */
export interface ImageContents {
  /** Of an image's manifest the media type, and bytes: its own, and those of all its blobs. */
  content(
    image: Image,
  ): Promise<{ readonly mediaType: string; readonly manifestSize: number; readonly contentSize: number }>;
}

/** All of the image store. Consumers ask for the roles they need. */
export interface ImageStore extends ImageReader, ImageContents, ImageNames, ImageTransfer, ImageMaker, ImageVersions {
  /** Removes blobs and snapshots that no image, no lease and none of `keepSnapshots` needs. Returns bytes freed. */
  collectGarbage(keepSnapshots: ReadonlySet<string>): Promise<number>;
}
