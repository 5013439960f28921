import { join } from 'node:path';
import type { TreeArchiver } from '#archive';
import { isBerthError, type Logger } from '#base';
import type { Mounts } from '#host';
import type { Image, ImageMaker, ImageNames, ImageReader, ImageTransfer } from '#image';
import { type Platform, parseReference, platformMatches } from '#oci';
import type { Runtime } from '#runtime';
import type { Snapshotter } from '#snapshot';
import type { BuildEvent, BuildNetworks, BuildRequest, BuildStep } from '../builder.ts';
import type { CacheRecords } from '../cache/cache-records.ts';
import { ContextTrees } from '../context/context-trees.ts';
import type { TreeWorkers } from '../tree/tree-workers.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { NetworkReleases } from './network-releases.ts';

/** What the builder uses of the image store. */
export type BuilderImages = Pick<ImageReader, 'get' | 'list' | 'unpack'> &
  Pick<ImageTransfer, 'pull'> &
  Pick<ImageNames, 'tag'> &
  ImageMaker;

/** Everything that operations use, for all builds. */
export interface BuilderServices {
  readonly images: BuilderImages;
  readonly snapshots: Snapshotter;
  readonly archiver: TreeArchiver;
  readonly runtime: Pick<Runtime, 'runOnce'>;
  readonly networks: BuildNetworks;
  readonly mounts: Pick<Mounts, 'mount' | 'unmount'>;
  readonly networkReleases: NetworkReleases;
  readonly records: CacheRecords;
  readonly trees: TreeWorkers;
  readonly cacheMounts: CacheMounts;
  readonly logger: Logger;
  /** Absolute cgroup that build containers go below: `/berth`. */
  readonly cgroupParent: string;
}

/** One build while it runs: its directories, request and the snapshots that a garbage collection must leave alone. */
export class BuildSession {
  readonly id: string;
  readonly services: BuilderServices;
  readonly request: BuildRequest;
  /** The unpacked context, and trees beside it. */
  readonly contexts: ContextTrees;
  /** Fetched files and scripts. */
  readonly filesDirectory: string;
  /** Mount points and bundles, on a file system that does not outlive the boot. */
  readonly runDirectory: string;
  /** Snapshots that this build made or found and that may not be recorded yet. */
  readonly liveChains = new Set<string>();
  /** Id of the last container that ran for a step. */
  readonly containers = new Map<number, string>();
  /** Cache keys found in use, counted when the build ends. */
  readonly usedKeys: string[] = [];
  /** Cache keys of steps that are to run whatever the cache has. */
  readonly freshKeys = new Set<string>();
  #count = 0;
  #freshSteps: ReadonlySet<number> = new Set();

  constructor(id: string, services: BuilderServices, request: BuildRequest, places: { data: string; run: string }) {
    this.id = id;
    this.services = services;
    this.request = request;
    this.contexts = new ContextTrees(places.data, request, services);
    this.filesDirectory = join(places.data, 'files');
    this.runDirectory = places.run;
  }

  emit(event: BuildEvent): void {
    this.request.onEvent(event);
  }

  /** Finds the steps of stages that are to be built anew; called when it is known which there are. */
  plan(steps: readonly BuildStep[]): void {
    const { noCache, noCacheStages = [] } = this.request;
    const stages = new Set(noCacheStages.map((name) => name.toLowerCase()));
    const fresh = steps.filter(({ stage }) => noCache || stages.has(stage.toLowerCase()));
    this.#freshSteps = new Set(fresh.map(({ number }) => number));
    this.emit({ kind: 'plan', steps });
  }

  /** Whether a step runs whatever the cache has. */
  isFresh(step: number): boolean {
    return this.#freshSteps.has(step);
  }

  /** A name no other operation of this build has. */
  nextName(): string {
    return String(++this.#count);
  }

  /** Key of a working snapshot: recognised after a crash by its beginning. */
  snapshotKey(name: string): string {
    return `${workingPrefix}${this.id}-${name}`;
  }

  /**
   * The base of a stage or a `from=`: from the store, or pulled when it is not there, is for another platform than the
   * one asked for, or `pull` is set.
   */
  async image(name: string, platform: Platform | undefined, step: number): Promise<Image> {
    const { images } = this.services;
    if (!this.request.pull || /^sha256:|^[0-9a-f]{64}$/.test(name)) {
      const found = await images.get(name).catch((error: unknown) => {
        if (isBerthError(error, 'not-found')) return undefined;
        throw error;
      });
      if (found && (platform === undefined || platformMatches(found.config, platform))) return found;
    }
    return images.pull(name, {
      ...(platform && { platform }),
      ...(await credentialsFor(name, this.request)),
      onProgress: (progress) => this.emit({ kind: 'step-progress', step, progress }),
      signal: this.request.signal,
    });
  }
}

/** Working snapshots begin so. */
export const workingPrefix = 'build-';

async function credentialsFor(
  name: string,
  request: BuildRequest,
): Promise<Pick<Parameters<ImageTransfer['pull']>[1], 'credentials'>> {
  const { domain } = parseReference(name);
  const names =
    domain === 'docker.io'
      ? ['docker.io', 'https://index.docker.io/v1/', 'index.docker.io']
      : [domain, `https://${domain}`];
  const given = names.map((candidate) => request.credentials[candidate]).find((entry) => entry !== undefined);
  const found = given ?? (await request.login?.(domain));
  return found === undefined ? {} : { credentials: found };
}
