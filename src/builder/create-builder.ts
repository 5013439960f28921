import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeArchiver } from '#archive';
import { type Digest, invalid, type Logger, newId, notImplemented } from '#base';
import type { Mounts } from '#host';
import type { Image, ImageStore } from '#image';
import type { Database } from '#metadata';
import { formatPlatform, parseReference } from '#oci';
import type { Runtime } from '#runtime';
import type { Snapshotter } from '#snapshot';
import type { Builder, BuildNetworks, BuildRequest, ImageFiles } from './builder.ts';
import { CacheJanitor } from './cache/cache-janitor.ts';
import { CacheRecords } from './cache/cache-records.ts';
import { type LoweredStage, StageLowering } from './graph/lower-stage.ts';
import { type BuilderServices, BuildSession, workingPrefix } from './ops/build-session.ts';
import { CacheMounts } from './ops/cache-mounts.ts';
import { endLeftoverContainers } from './ops/leftover-containers.ts';
import { NetworkReleases } from './ops/network-releases.ts';
import type { StepResult } from './ops/step-result.ts';
import { imageConfigOf, StepCache, VertexFactory } from './ops/vertices.ts';
import { mountedAt } from './ops/working-tree.ts';
import { type BuildPlan, planBuild, unusedBuildArgs } from './plan/build-plan.ts';
import { solve } from './solver/solver.ts';
import { TreeWorkers } from './tree/tree-workers.ts';

/** What a builder is made of. */
export interface BuilderOptions {
  /** Opened with `builderMigrations`. */
  readonly database: Database;
  readonly images: ImageStore;
  readonly snapshots: Snapshotter;
  readonly archiver: TreeArchiver;
  readonly runtime: Pick<Runtime, 'runOnce'>;
  readonly networks: BuildNetworks;
  readonly mounts: Pick<Mounts, 'list' | 'mount' | 'unmount'>;
  readonly logger: Logger;
  /** For contexts and cache mounts; on the file system of the snapshots. */
  readonly dataDirectory: string;
  /** For mount points; gone with the boot. */
  readonly runDirectory: string;
  /** Absolute cgroup that build containers go below: `/berth`. */
  readonly cgroupParent: string;
  /** Snapshots, beside those of the build cache, that a garbage collection started by prune must keep (containers'). */
  readonly keepSnapshots?: () => Promise<ReadonlySet<string>>;
}

/** The builder and what the daemon needs of it besides. */
export interface BuilderInstance extends Builder {
  /** Snapshots of the build cache and of running builds: to be kept by every garbage collection of images. */
  keepSnapshots(): ReadonlySet<string>;
  /** Removes what builds of an earlier process left. Call once, at start, before the first build. */
  reconcile(): Promise<void>;
  /** Finishes what builds left to the background and ends worker threads. Call when no build runs. */
  close(): Promise<void>;
}

/** Operations of one build that run at the same time. */
const parallelOperations = 8;

/** Makes the builder. */
export function createBuilder(options: BuilderOptions): BuilderInstance {
  return new LocalBuilder(options);
}

class LocalBuilder implements BuilderInstance {
  readonly #options: BuilderOptions;
  readonly #services: BuilderServices;
  readonly #janitor: CacheJanitor;
  readonly #sessions = new Set<BuildSession>();

  constructor(options: BuilderOptions) {
    this.#options = options;
    const { images, snapshots, archiver, runtime, networks, mounts, logger, cgroupParent } = options;
    const records = new CacheRecords(options.database);
    const cacheMounts = new CacheMounts(join(options.dataDirectory, 'cache-mounts'));
    const trees = new TreeWorkers();
    this.#services = {
      images,
      snapshots,
      archiver,
      runtime,
      networks,
      mounts,
      networkReleases: new NetworkReleases(logger),
      records,
      trees,
      cacheMounts,
      logger,
      cgroupParent,
    };
    const collectGarbage = async () => {
      const others = (await options.keepSnapshots?.()) ?? [];
      return images.collectGarbage(new Set([...this.keepSnapshots(), ...others]));
    };
    this.#janitor = new CacheJanitor({ records, images, cacheMounts, collectGarbage });
  }

  async build(request: BuildRequest): Promise<{ imageId: Digest }> {
    if (request.squash) throw notImplemented('squash is not supported: use a multi-stage build to merge layers');
    for (const tag of request.tags) parseReference(tag);
    const id = newId().slice(0, 16);
    const places = {
      data: join(this.#options.dataDirectory, 'builds', id),
      run: join(this.#options.runDirectory, id),
    };
    const session = new BuildSession(id, this.#services, request, places);
    this.#sessions.add(session);
    try {
      await mkdir(places.run, { recursive: true, mode: 0o700 });
      return await this.#services.images.holding(() => this.#build(session));
    } finally {
      this.#services.records.touch(session.usedKeys, Date.now());
      this.#sessions.delete(session);
      await rm(places.data, { recursive: true, force: true });
      await removeEmpty(places.run, this.#options.logger);
    }
  }

  readFiles<T>(id: Digest, use: (files: ImageFiles) => Promise<T>): Promise<T> {
    const { images, snapshots, archiver } = this.#services;
    const directory = join(this.#options.runDirectory, newId().slice(0, 16));
    return images.holding(async () => {
      const chainId = await images.unpack(await images.get(id));
      return mountedAt({ snapshots, directory }, { key: chainId, readonly: true }, (root) =>
        use({ directory: root, tar: (signal) => archiver.pack(root, '/', { rename: '', signal }) }),
      );
    });
  }

  prune(options: Parameters<Builder['prune']>[0]): ReturnType<Builder['prune']> {
    return this.#janitor.prune(options);
  }

  diskUsage(): ReturnType<Builder['diskUsage']> {
    return this.#janitor.diskUsage();
  }

  keepSnapshots(): ReadonlySet<string> {
    const keep = this.#services.records.chains();
    for (const session of this.#sessions) for (const chain of session.liveChains) keep.add(chain);
    return keep;
  }

  async reconcile(): Promise<void> {
    const { mounts, snapshots, dataDirectory, runDirectory, cgroupParent } = this.#options;
    await endLeftoverContainers(runDirectory, cgroupParent);
    const left = (await mounts.list()).filter((entry) => entry.target.startsWith(`${runDirectory}/`));
    for (const { target } of left.reverse()) await mounts.unmount(target, { detach: true });
    for (const snapshot of (await snapshots.list()).reverse()) {
      if (snapshot.kind === 'active' && snapshot.key.startsWith(workingPrefix)) await snapshots.remove(snapshot.key);
    }
    await rm(join(dataDirectory, 'builds'), { recursive: true, force: true });
    await rm(runDirectory, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#services.networkReleases.settled();
    await this.#services.trees.close();
  }

  async #build(session: BuildSession): Promise<{ imageId: Digest }> {
    const { request } = session;
    const text = await session.contexts.openMain();
    const plan = planBuild(text, {
      file: request.dockerfile,
      target: request.target,
      buildArgs: request.buildArgs,
      labels: request.labels,
      platform: request.platform,
      contexts: request.contexts,
    });
    for (const { message, line } of plan.warnings) session.emit({ kind: 'warning', message, line });
    session.plan(plan.steps);
    for (const step of plan.globalSteps) {
      session.emit({ kind: 'step-start', step });
      session.emit({ kind: 'step-done', step, cached: false });
    }
    const lowered = await this.#lower(session, plan);
    const target = new VertexFactory(session).vertexOf(lowered.last);
    const { signal } = request;
    const [result] = await solve([target], { cache: new StepCache(session), parallel: parallelOperations, signal });
    if (result === undefined) throw new Error('a build without a result');
    const unused = unusedBuildArgs(plan, request.buildArgs);
    if (unused.length > 0) {
      const message = `One or more build-args [${unused.join(' ')}] were not consumed`;
      session.emit({ kind: 'warning', message });
    }
    const imageId = await this.#finish(session, lowered, result);
    session.emit({ kind: 'image', id: imageId, tags: request.tags });
    return { imageId };
  }

  #lower(session: BuildSession, plan: BuildPlan): Promise<LoweredStage> {
    const { request } = session;
    const images = new Map<string, Promise<Image>>();
    const lowering = new StageLowering(plan, {
      buildArgs: request.buildArgs,
      labels: request.labels,
      image: async (name, platform, step) => {
        if (step > 0) session.emit({ kind: 'step-start', step });
        const wanted = platform ?? request.platform;
        const key = `${name} ${wanted ? formatPlatform(wanted) : ''}`;
        const found = images.get(key) ?? session.image(name, wanted, step);
        images.set(key, found);
        try {
          return await found;
        } catch (error) {
          if (step > 0 && error instanceof Error) session.emit({ kind: 'step-failed', step, message: error.message });
          throw error;
        }
      },
    });
    return lowering.stage(plan.target.index);
  }

  /** Makes the image of the result; a stage that adds nothing to its base image is that image. */
  async #finish(session: BuildSession, lowered: LoweredStage, result: StepResult): Promise<Digest> {
    const { images } = this.#services;
    const { tags } = session.request;
    const { baseImage } = lowered;
    if (lowered.unchanged && baseImage) {
      for (const tag of tags) await images.tag(baseImage.id, tag);
      return baseImage.id;
    }
    if (result.history.length === 0) throw invalid('No image was generated. Is your Dockerfile empty?');
    const descriptors = result.layers.map((layer) => layer.descriptor);
    const image = await images.create(imageConfigOf(lowered.last, result), descriptors, {
      tags,
      ...(baseImage && { parent: baseImage.id }),
    });
    return image.id;
  }
}

/** The run directory of a build is empty when all went well; what is not is left for reconcile, and told. */
async function removeEmpty(directory: string, logger: Logger): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    logger.warn('a build left something behind', { directory, error });
  }
}
