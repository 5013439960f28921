import type { Digest } from '#base';
import type { ManifestTarget } from '../names.ts';

/** A blob as one repository links it. */
export interface BlobLink {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** When it was pushed, mounted or last asked for by a pusher, ms since the epoch. */
  readonly touchedAt: number;
}

/** What a stored manifest is, without its bytes. */
export interface ManifestRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
}

/** A manifest and its unchanged bytes. */
export interface StoredManifest extends ManifestRecord {
  readonly bytes: Buffer;
}

/** A manifest that was checked and is about to be stored. */
export interface NewManifest extends StoredManifest {
  /** What the referrers list shows; absent where the manifest says nothing. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  /** The manifest it is about; need not exist. */
  readonly subject: Digest | undefined;
  readonly references: readonly Reference[];
}

/** Something that a manifest names and that has to be in the repository. */
export interface Reference {
  readonly digest: Digest;
  /** `either` is a child of an index whose type is no manifest's, such as a build cache's layers. */
  readonly kind: 'blob' | 'manifest' | 'either';
}

/** One entry of a referrers list. */
export interface Referrer extends ManifestRecord {
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** A bound on the bytes that all repositories whose name begins with `prefix` link together. */
export interface Quota {
  readonly prefix: string;
  readonly bytes: number;
}

/** Something that happened to a repository, kept until it was delivered. */
export interface RegistryEvent {
  readonly action: 'push' | 'pull' | 'delete' | 'mount';
  readonly repository: string;
  readonly digest?: Digest;
  readonly mediaType?: string;
  readonly size?: number;
  readonly tag?: string;
  readonly fromRepository?: string;
  /** Where it can be fetched; absent for what was deleted. */
  readonly url?: string;
  /** Host that the client reached the registry by. */
  readonly host?: string;
  /** Who asked: user name, address, method, user agent. */
  readonly user?: string;
  readonly address?: string;
  readonly method?: string;
  readonly agent?: string;
  /** Ms since the epoch. */
  readonly at: number;
}

/** Place in a list: names after `after` (not included), at most `limit`. */
export interface Page {
  readonly after: string;
  readonly limit: number;
}

/** What a write has to respect and to leave behind, in the same transaction. */
export interface WriteTerms {
  /** Bounds that cover the repository; going above one throws DENIED. */
  readonly quotas: readonly Quota[];
  /** Kept for delivery when the write succeeds. */
  readonly event?: RegistryEvent | undefined;
}

/** Blobs as repositories link them. Every call is one transaction. */
export interface BlobRecords {
  findBlob(repository: string, digest: Digest): Promise<BlobLink | undefined>;
  /** Links a blob that is in the blob store; makes the repository. Again is a success and renews `touchedAt`. */
  linkBlob(repository: string, blob: { digest: Digest; size: number }, terms: WriteTerms): Promise<void>;
  /** Links in `repository` what `from` links; the link, or undefined where `from` lacks it. */
  mountBlob(from: string, repository: string, digest: Digest, terms: WriteTerms): Promise<BlobLink | undefined>;
  /** Renews `touchedAt`, so that garbage collection leaves it to a push under way. */
  touchBlob(repository: string, digest: Digest): Promise<void>;
  /** False where there was no link. */
  unlinkBlob(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean>;
}

/** Manifests and tags. */
export interface ManifestRecords {
  findManifest(repository: string, target: ManifestTarget): Promise<StoredManifest | undefined>;
  /** When a tag was last compared with its upstream, ms since the epoch; undefined for an unknown tag. */
  tagCheckedAt(repository: string, tag: string): Promise<number | undefined>;
  /**
   * Stores a manifest and points `tag` at it; again is a success. With `requireReferences` throws
   * MANIFEST_BLOB_UNKNOWN, naming all that the repository lacks.
   */
  putManifest(
    repository: string,
    manifest: NewManifest,
    options: WriteTerms & { tag?: string | undefined; requireReferences: boolean },
  ): Promise<void>;
  /** Removes a manifest and the tags that point at it; false where it is not there. */
  deleteManifest(repository: string, digest: Digest, event?: RegistryEvent): Promise<boolean>;
  deleteTag(repository: string, tag: string, event?: RegistryEvent): Promise<boolean>;
}

/** Lists, in ASCII order of their names. */
export interface ListRecords {
  hasRepository(repository: string): Promise<boolean>;
  /** Repositories that hold a manifest. */
  repositories(page: Page): Promise<string[]>;
  tags(repository: string, page: Page): Promise<string[]>;
  /** Manifests whose subject is `subject`, by digest. */
  referrers(repository: string, subject: Digest, page: Page & { artifactType?: string }): Promise<Referrer[]>;
  /** Bytes that the repositories below `prefix` link, each repository counted for itself. */
  usage(prefix: string): Promise<number>;
  /** Figures for the metrics. */
  totals(): Promise<{ repositories: number; tags: number; manifests: number; blobs: number; blobBytes: number }>;
}

/** Uploads under way. */
export interface UploadRecords {
  beginUpload(id: string, repository: string): Promise<void>;
  hasUpload(id: string, repository: string): Promise<boolean>;
  endUpload(id: string): Promise<void>;
  /** Ids of uploads begun before `before` (ms since the epoch). */
  uploadsBefore(before: number, limit: number): Promise<string[]>;
}

/** Where a step of garbage collection goes on; undefined at the beginning and when it has seen all. */
export type SweepCursor = { readonly repository: number; readonly digest: string } | undefined;

/** How a step of garbage collection goes through its rows. */
export interface SweepStep {
  /** Only what is older, ms since the epoch. */
  readonly before: number;
  readonly from: SweepCursor;
  /** Rows looked at, which bounds the time that others wait. */
  readonly limit: number;
}

/** The steps of garbage collection; repeat each with the cursor it returned until that is undefined. */
export interface GarbageRecords {
  /** Removes manifests that no tag, index or subject needs. */
  removeUntagged(step: SweepStep): Promise<{ removed: number; next: SweepCursor }>;
  /** Removes links that no manifest of their repository references. */
  removeLooseLinks(step: SweepStep): Promise<{ removed: number; next: SweepCursor }>;
  /** Finds blobs that no repository links. */
  unlinkedBlobs(from: SweepCursor, limit: number): Promise<{ digests: Digest[]; next: SweepCursor }>;
  /** Forgets a blob unless a repository links it; true when nobody knows it now, so that its bytes may go. */
  forgetBlob(digest: Digest): Promise<boolean>;
  knowsBlob(digest: Digest): Promise<boolean>;
  /** Removes repositories that hold nothing. */
  removeEmptyRepositories(): Promise<void>;
}

/** Events that wait for delivery, oldest first. */
export interface EventRecords {
  addEvent(event: RegistryEvent): Promise<void>;
  /** The next events with their ascending ids. */
  nextEvents(endpoint: string, limit: number): Promise<{ id: number; event: RegistryEvent }[]>;
  /** `endpoint` has events up to `id`; those that all `endpoints` have are dropped, and all but the newest `keep`. */
  delivered(endpoint: string, id: number, options: { endpoints: readonly string[]; keep: number }): Promise<void>;
}

/** Repositories whose name begins with `prefix` and with none of `except`. */
export interface RepositoryRange {
  readonly prefix: string;
  readonly except: readonly string[];
}

/** A manifest or blob that a client asked for. */
export interface CacheUse {
  readonly repository: string;
  readonly digest: Digest;
  /** Ms since the epoch. */
  readonly at: number;
}

/**
 * Repositories that are copies of another registry's, where all can be fetched again. A manifest's last use is when it was
 * stored or {@link CacheRecords.markUsed}, a blob's when it was linked, touched or marked.
 */
export interface CacheRecords {
  /** Notes uses, each of the manifest or blob and of all that it references there; what has a later use keeps that. */
  markUsed(uses: readonly CacheUse[]): Promise<void>;
  /**
   * When the latest used of those blobs was last used that do not fit into `bytes` together with all that were used after
   * it, each blob counted once; undefined where all fit.
   */
  lastUseBeyond(range: RepositoryRange, bytes: number): Promise<number | undefined>;
  /**
   * Removes manifests (and their tags) and links last used before `before` (ms since the epoch), at most `limit` of
   * either; returns how many. 0 means that there are no more.
   */
  removeUnused(range: RepositoryRange, before: number, limit: number): Promise<number>;
}

/** All that a registry keeps beside its blobs, role by role. SQLite is one implementation; every method is one transaction. */
export interface RegistryRecords {
  readonly blobs: BlobRecords;
  readonly manifests: ManifestRecords;
  readonly lists: ListRecords;
  readonly uploads: UploadRecords;
  readonly garbage: GarbageRecords;
  readonly cache: CacheRecords;
  readonly events: EventRecords;
}
