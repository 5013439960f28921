import type { Duplex, Readable } from 'node:stream';
import type { Digest } from '#base';
import type { OnProgress, RegistryCredentials } from '#image';
import type { Platform } from '#oci';

/** What a build is asked with (POST /build, or our own CLI). */
export interface BuildRequest {
  /** The context as a tar (compressed or not); `.dockerignore` is applied by the engine too. */
  readonly context: Readable;
  /** Path of the Dockerfile inside the context; default `Dockerfile`. */
  readonly dockerfile: string;
  /** The Dockerfile where it does not come with the context; `dockerfile` is then only its name in messages. */
  readonly recipe?: BuildRecipe;
  readonly tags: readonly string[];
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  /** Names of stages that are built anew, in any case of letters, where not all are; unknown ones are passed over. */
  readonly noCacheStages?: readonly string[];
  readonly pull: boolean;
  readonly platform?: Platform;
  readonly networkMode: string;
  readonly extraHosts: readonly string[];
  readonly shmSize?: number;
  readonly memory?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cacheFrom: readonly string[];
  readonly squash: boolean;
  readonly credentials: Readonly<Record<string, RegistryCredentials>>;
  /** Asked for the login at a registry (`docker.io`, `example.com:5000`) that `credentials` does not name. */
  readonly login?: (registry: string) => Promise<RegistryCredentials | undefined>;
  /** Asked by `RUN --mount=type=secret`; undefined where the client gives none (an optional one is then left out). */
  readonly secrets?: BuildSecrets;
  /** Asked by `RUN --mount=type=ssh`. */
  readonly agents?: BuildAgents;
  /**
   * By name: `FROM name`, `COPY --from=name` and `RUN --mount=from=name` mean these before any stage or image (`scratch`
   * stays nothing). Names are compared as image names: `docker.io/library/a:latest` is `a`.
   */
  readonly contexts?: Readonly<Record<string, NamedContext>>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: BuildEvent) => void;
}

/** A Dockerfile that lies elsewhere than its context. */
export interface BuildRecipe {
  readonly text: string;
  /** Its own `.dockerignore`, which counts instead of the context's. */
  readonly ignore?: string;
}

/** Values that a build may use and that stay nowhere: not in layers, history, cache keys or logs. */
export interface BuildSecrets {
  /** The bytes of a secret; undefined for one that the client does not have. */
  get(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** ssh agents of whoever builds. */
export interface BuildAgents {
  /** Whether the client has an agent of this id (`default` where a mount names none). */
  has(id: string, signal: AbortSignal): Promise<boolean>;
  /** A new connection to the agent; destroying it ends it. */
  connect(id: string, signal: AbortSignal): Promise<Duplex>;
}

/** Files beside the main context. */
export type NamedContext =
  /** A tree of the client's, as a tar; read at most once a build, and only where a step needs it. */
  | { readonly kind: 'tree'; read(signal: AbortSignal): Promise<Readable> }
  /** An image in its place, pulled where it is missing. */
  | { readonly kind: 'image'; readonly reference: string };

/**
 * What happens in a build, in order per step; steps of different stages interleave. The API renders it as the classic
 * builder's text (`Step 1/5 : ...`) or BuildKit's status stream.
 */
export type BuildEvent =
  | { readonly kind: 'plan'; readonly steps: readonly BuildStep[] }
  | { readonly kind: 'step-start'; readonly step: number }
  /** A container was started for the step; its output follows. */
  | { readonly kind: 'step-running'; readonly step: number; readonly containerId: string }
  | { readonly kind: 'step-output'; readonly step: number; readonly stream: 'stdout' | 'stderr'; readonly data: Buffer }
  | { readonly kind: 'step-progress'; readonly step: number; readonly progress: Parameters<OnProgress>[0] }
  | {
      readonly kind: 'step-done';
      readonly step: number;
      readonly cached: boolean;
      readonly imageId?: Digest;
      readonly containerId?: string;
    }
  | {
      readonly kind: 'step-failed';
      readonly step: number;
      readonly message: string;
      /** What a RUN ran, and the code it ended with; undefined for failures of other kinds. */
      readonly exit?: { readonly command: string; readonly code: number };
    }
  | { readonly kind: 'warning'; readonly message: string; readonly line?: number }
  | { readonly kind: 'image'; readonly id: Digest; readonly tags: readonly string[] };

/** One instruction that this build will run. */
export interface BuildStep {
  /** 1-based. */
  readonly number: number;
  /** The instruction as written, variables not replaced, continuation lines joined. */
  readonly text: string;
  readonly stage: string;
  readonly line: number;
}

/** Files of an image, lent for a while. */
export interface ImageFiles {
  /** Where they lie; nothing in it can be changed. */
  readonly directory: string;
  /** All of them as a tar, names relative to the root. */
  tar(signal: AbortSignal): Promise<Readable>;
}

/** Turns a Dockerfile and a context into an image. */
export interface Builder {
  /** Throws `invalid` with file, line and instruction for a bad Dockerfile; other kinds as the failed step's. */
  build(request: BuildRequest): Promise<{ imageId: Digest }>;
  /** Lends the files of an image until `use` is done. Throws `not-found`, and what `use` throws. */
  readFiles<T>(image: Digest, use: (files: ImageFiles) => Promise<T>): Promise<T>;
  /** Cache records no image needs. */
  prune(options: {
    all: boolean;
    filters: Readonly<Record<string, readonly string[]>>;
    keepBytes?: number;
  }): Promise<{ deleted: string[]; reclaimed: number }>;
  diskUsage(): Promise<
    {
      id: string;
      type: string;
      description: string;
      inUse: boolean;
      shared: boolean;
      size: number;
      createdAt: number;
      lastUsedAt: number;
      usageCount: number;
    }[]
  >;
}

/** Network for RUN steps; the daemon wires it to the network room. */
export interface BuildNetworks {
  /** `default`/`bridge`, `none` or `host`; `close` gives everything back. */
  open(mode: string, options: { stepId: string; extraHosts: readonly string[] }): Promise<BuildNetwork>;
}

/** One step's network. */
export interface BuildNetwork {
  /** Undefined joins the host's namespace. */
  readonly netnsPath: string | undefined;
  /** Contents of /etc/hosts and /etc/resolv.conf. */
  readonly hostsFile: string;
  readonly resolvConf: string;
  close(): Promise<void>;
}
