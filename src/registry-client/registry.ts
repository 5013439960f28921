import type { Readable } from 'node:stream';
import type { Digest } from '#base';
import type { Descriptor, Reference } from '#oci';

/** What a client may show to a registry. All empty or undefined is an anonymous client. */
export interface RegistryLogin {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** OAuth2 refresh token, in place of a password. */
  readonly identityToken?: string | undefined;
  /** A bearer token that is sent as it is. */
  readonly registryToken?: string | undefined;
}

/** A manifest or index as the registry has it. */
export interface FetchedManifest {
  /** `digest` is that of `bytes` (checked); `mediaType` is the answer's Content-Type, else the document's own. */
  readonly descriptor: Descriptor;
  /** Unchanged bytes, at most 4 MiB. */
  readonly bytes: Buffer;
}

/** Gives the bytes of a blob from `offset` (bytes) on; called again with the same or a later offset on a retry. */
export type BlobSource = (offset: number) => Promise<Readable>;

/** What {@link BlobPusher.pushBlob} had to do. */
export type PushOutcome =
  | { readonly kind: 'exists' }
  /** Linked inside the registry from the repository `from`. */
  | { readonly kind: 'mounted'; readonly from: string }
  | { readonly kind: 'uploaded' };

/** Waits that a caller can end. An aborted call throws `canceled`. */
export interface Cancelable {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reading one repository. Errors of every method: `not-found` (no such manifest, blob or repository),
 * `unauthorized` (login needed or wrong), `forbidden`, `invalid` (the registry's answer is not what was asked for, is
 * too large, or has another digest), `unavailable` (no connection, 5xx, 429 after all retries), `timeout` (stalled).
 * Messages are those that Docker's daemon gives for the same fault.
 */
export interface RepositoryReader {
  /** What `target` (tag or digest) points at, by HEAD, or GET where the registry does not answer HEAD well. */
  resolve(target: string, options?: Cancelable): Promise<Descriptor>;
  /** The manifest or index behind a tag or digest. */
  manifest(target: string, options?: Cancelable): Promise<FetchedManifest>;
  /** Size in bytes of a blob of this repository, undefined when it is not there. */
  blobSize(digest: Digest, options?: Cancelable): Promise<number | undefined>;
  /**
   * The blob's bytes from `offset` (default 0). A cut or stalled connection is taken up again by a range request
   * without the reader noticing. The stream never gives more than `descriptor.size` bytes; it fails with `invalid`
   * instead of ending when bytes are missing or, with offset 0, the digest differs. Throws `not-found` before it
   * returns; also looks at `descriptor.urls` (http and https) when the repository lacks the blob.
   */
  openBlob(descriptor: Descriptor, options?: Cancelable & { offset?: number }): Promise<Readable>;
  /** All tags, in the registry's order, page by page. */
  tags(options?: Cancelable): AsyncIterable<string>;
  /**
   * Manifests whose subject is `subject`, page by page: what the referrers API lists, or the index under the tag
   * `sha256-HEX` of a registry that lacks it (distribution-spec, "Listing Referrers"). What is no descriptor is left out.
   */
  referrers(subject: Digest, options?: Cancelable): AsyncIterable<Descriptor>;
}

/** Writing one repository. Errors as {@link RepositoryReader}. */
export interface RepositoryWriter {
  /**
   * Makes sure that the repository has the blob: asks, else mounts it from one of `mountFrom` (repository paths of the
   * same registry), else uploads. `onProgress` hears the bytes sent so far (goes back on a retry).
   */
  pushBlob(
    descriptor: Descriptor,
    source: BlobSource,
    options?: Cancelable & { mountFrom?: readonly string[]; onProgress?: (sent: number) => void },
  ): Promise<PushOutcome>;
  /**
   * Uploads a blob whose size and digest are known only when its stream has ended; `digest` is called then. One attempt:
   * {@link pushBlob} is the way to repeat it. The stream is destroyed where the upload fails.
   */
  pushStream(stream: Readable, digest: () => Promise<Digest>, options?: Cancelable): Promise<void>;
  /** Puts a manifest or index under a tag or its digest; all it names must be there. Returns its digest. */
  pushManifest(target: string, mediaType: string, bytes: Uint8Array, options?: Cancelable): Promise<Digest>;
}

/** One repository of one registry, with one login. Tokens are kept for as long as the object lives. */
export interface Repository extends RepositoryReader, RepositoryWriter {}

/** Talks to registries (OCI distribution-spec 1.1). Holds connections open for reuse; `close` ends them. */
export interface RegistryClient {
  /**
   * The repository that `name` is in; no I/O. Reads of docker.io go to the configured mirrors first. Tag and digest of
   * the reference are not looked at.
   */
  repository(name: Pick<Reference, 'domain' | 'path'>, login?: RegistryLogin): Repository;
  /** Checks a login, as `docker login` does. Throws `unauthorized`. Returns a refresh token where the registry has them. */
  login(domain: string, login: RegistryLogin, options?: Cancelable): Promise<{ readonly identityToken?: string }>;
  /** Names of all repositories, page by page; most public registries refuse. */
  catalog(domain: string, login?: RegistryLogin, options?: Cancelable): AsyncIterable<string>;
  /** Ends idle connections; calls under way fail. */
  close(): void;
}

/** How registries are reached. */
export interface RegistryClientOptions {
  /** Host, host:port or CIDR range of registries that may speak plain HTTP or show any certificate. Loopback always may. */
  readonly insecureRegistries?: readonly string[];
  /** Base URLs of pull-through mirrors of docker.io, tried in turn before it. */
  readonly mirrors?: readonly string[];
  /** Directories with `HOST[:PORT]/{*.crt,NAME.cert,NAME.key}`; default /etc/docker/certs.d. */
  readonly certificateDirectories?: readonly string[];
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are read; default process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Sent as User-Agent. */
  readonly userAgent?: string;
  /** Attempts of a request that may be repeated, the first included; default 5. */
  readonly attempts?: number;
  /** First pause between attempts in ms, doubled each time; default 500. */
  readonly backoff?: number;
  /** A connection on which nothing moves for so many ms is given up; default 60000. */
  readonly stallTimeout?: number;
}
