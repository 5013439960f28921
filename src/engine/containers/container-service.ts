import type { Readable } from 'node:stream';
import { conflict, type Digest } from '#base';
import type { Image } from '#image';
import type { EndpointRequest } from '#network';
import type { LogLine, LogQuery } from '#runtime';
import type { Session } from '../events/session.ts';
import { attachContainer } from './attach/attach.ts';
import type { Container, ContainerRequest, ContainerStatus, ResourceSettings, RestartPolicy } from './container.ts';
import type { ContainerParts } from './container-parts.ts';
import type { AttachOptions, ContainerFilter, ContainerSize, Containers, WaitCondition } from './containers.ts';
import { exportRoot, readArchive, statPath, writeArchive } from './content/archive-paths.ts';
import { type CommitOptions, commitContainer } from './content/commit.ts';
import { createContainer } from './create/create.ts';
import { listChanges } from './inspect/list-changes.ts';
import { openLog } from './inspect/logs.ts';
import { readStats } from './inspect/stats.ts';
import { listProcesses } from './inspect/top.ts';
import { connectNetwork, disconnectNetwork } from './life/connect.ts';
import { drainContainer } from './life/drain.ts';
import { removeContainer } from './life/remove.ts';
import { renameContainer } from './life/rename.ts';
import { signalContainer, stopContainer } from './life/stop.ts';
import { standBy, takeOver } from './life/take-over.ts';
import { updateContainer } from './life/update.ts';
import { filterContainers } from './list-filter.ts';
import { isUp, type LiveContainer } from './live-container.ts';
import { choosePrunable } from './prune.ts';
import { putSecret } from './secrets/put-secret.ts';
import type { SecretPlace } from './secrets/secret-files.ts';

/** Finds the container of each call and hands it to the use case; holds no rules and no state of its own. */
export class ContainerService implements Containers {
  readonly #parts: ContainerParts;

  constructor(parts: ContainerParts) {
    this.#parts = parts;
  }

  create(request: ContainerRequest): Promise<{ id: string; warnings: string[] }> {
    return createContainer(this.#parts, request);
  }

  async get(name: string): Promise<Container> {
    return this.#find(name).view();
  }

  async list(filter: ContainerFilter): Promise<Container[]> {
    const { registry, images } = this.#parts;
    const wanted = filter.filters?.ancestor?.length ? await images.list() : [];
    return filterContainers(
      registry.all().map((container) => container.view()),
      filter,
      {
        idOf: (name) => registry.tryFind(name)?.id,
        descendants: (name) => imagesBuiltOn(wanted, name),
      },
    );
  }

  async size(name: string): Promise<ContainerSize> {
    const container = this.#find(name);
    const { snapshots, images } = this.#parts;
    const { bytes } = await snapshots.usage(container.id);
    const image = await images.get(container.settings.imageId).catch(() => undefined);
    return { rw: bytes, rootFs: bytes + (image?.size ?? 0) };
  }

  async start(name: string): Promise<void> {
    const container = this.#find(name);
    // Started plainly it takes its ports as any other.
    if (container.settings.standbyFor !== undefined && container.task === undefined) {
      this.#parts.registry.setSettings(container, { standbyFor: undefined });
    }
    await this.#parts.supervisor.start(container);
  }

  async startBeside(name: string, holder: string): Promise<void> {
    const container = this.#find(name);
    standBy(this.#parts, container, this.#find(holder));
    await this.#parts.supervisor.start(container);
  }

  async takeOver(name: string): Promise<{ from: string }> {
    const { id } = await takeOver(this.#parts, this.#find(name));
    return { from: id };
  }

  async drain(name: string, options: { timeout: number; signal: AbortSignal }): Promise<{ open: number }> {
    return { open: await drainContainer(this.#find(name), options) };
  }

  async putSecret(name: string, place: SecretPlace, content: Uint8Array): Promise<void> {
    const container = this.#find(name);
    await this.#parts.registry.exclusively(container, () => putSecret(this.#parts, container, { place, content }));
  }

  async stop(name: string, options: { signal?: string; timeout?: number } = {}): Promise<void> {
    await stopContainer(this.#parts, this.#find(name), options);
  }

  async restart(name: string, options: { signal?: string; timeout?: number } = {}): Promise<void> {
    const container = this.#find(name);
    container.restarting = true;
    try {
      if (isUp(container.state) || container.state.status === 'restarting') {
        await stopContainer(this.#parts, container, options);
      }
    } finally {
      container.restarting = false;
    }
    await this.#parts.supervisor.start(container);
    this.#publish(container, 'restart');
  }

  async kill(name: string, signal: string): Promise<void> {
    await signalContainer(this.#parts, this.#find(name), signal);
  }

  async pause(name: string): Promise<void> {
    await this.#freeze(this.#find(name), 'paused');
  }

  async unpause(name: string): Promise<void> {
    await this.#freeze(this.#find(name), 'running');
  }

  async rename(name: string, to: string): Promise<void> {
    await renameContainer(this.#parts, this.#find(name), to);
  }

  async remove(name: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void> {
    await removeContainer(this.#parts, this.#find(name), options);
  }

  async update(name: string, changes: { resources: ResourceSettings; restart?: RestartPolicy }): Promise<string[]> {
    const container = this.#find(name);
    return await this.#parts.registry.exclusively(container, () => updateContainer(this.#parts, container, changes));
  }

  async wait(
    name: string,
    condition: WaitCondition,
    options: { registered: () => void; signal: AbortSignal },
  ): Promise<{ exitCode: number; error?: string }> {
    const container = this.#find(name);
    const { exitCode, error, status } = container.state;
    if (condition === 'not-running' && container.task === undefined && status !== 'restarting') {
      options.registered();
      return { exitCode, ...(error ? { error } : {}) };
    }
    const answer = container.waits.add(condition, options.signal);
    options.registered();
    return await answer;
  }

  async attach(name: string, options: AttachOptions): Promise<Session> {
    return await attachContainer(this.#parts, this.#find(name), options);
  }

  async resize(name: string, size: { rows: number; columns: number }): Promise<void> {
    const container = this.#find(name);
    if (container.task === undefined) throw conflict(`container ${container.id} is not running`);
    await container.task.resize(size);
    this.#publish(container, 'resize', { height: String(size.rows), width: String(size.columns) });
  }

  async logs(
    name: string,
    query: Omit<LogQuery, 'follow'> & { follow: boolean },
  ): Promise<AsyncIterable<readonly LogLine[]>> {
    return openLog(this.#parts.readLog, this.#find(name), query);
  }

  async top(name: string, psArgs: string): Promise<{ titles: string[]; processes: string[][] }> {
    const container = this.#find(name);
    const table = await listProcesses(this.#parts.processes, container, psArgs);
    this.#publish(container, 'top');
    return table;
  }

  async stats(name: string) {
    return await readStats(this.#find(name));
  }

  watchStats(name: string, signal: AbortSignal) {
    return this.#parts.sampler.watch(this.#find(name), signal);
  }

  async changes(name: string): Promise<{ path: string; kind: 0 | 1 | 2 }[]> {
    return await listChanges(this.#parts, this.#find(name));
  }

  async export(name: string): Promise<Readable> {
    return await exportRoot(this.#parts, this.#find(name));
  }

  async statPath(name: string, path: string) {
    return await statPath(this.#parts, this.#find(name), path);
  }

  async readArchive(name: string, path: string, signal: AbortSignal) {
    return await readArchive(this.#parts, this.#find(name), { path, signal });
  }

  async writeArchive(
    name: string,
    path: string,
    archive: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; signal: AbortSignal },
  ): Promise<void> {
    await writeArchive(this.#parts, this.#find(name), { path, archive, ...options });
  }

  async commit(name: string, options: CommitOptions): Promise<Digest> {
    return await commitContainer(this.#parts, this.#find(name), options);
  }

  async prune(filters: Readonly<Record<string, readonly string[]>>): Promise<{ deleted: string[]; reclaimed: number }> {
    const deleted: string[] = [];
    let reclaimed = 0;
    for (const container of choosePrunable(this.#parts.registry.all(), filters)) {
      const { bytes } = await this.#parts.snapshots.usage(container.id);
      await removeContainer(this.#parts, container, { force: false, volumes: false });
      deleted.push(container.id);
      reclaimed += bytes;
    }
    this.#parts.events.publish('container', 'prune', '', { reclaimed: String(reclaimed) });
    return { deleted, reclaimed };
  }

  async connectNetwork(name: string, endpoint: EndpointRequest): Promise<void> {
    const container = this.#find(name);
    await this.#parts.registry.exclusively(container, () => connectNetwork(this.#parts, container, endpoint));
  }

  async disconnectNetwork(name: string, network: string, force: boolean): Promise<void> {
    const container = this.#find(name);
    await this.#parts.registry.exclusively(container, () =>
      disconnectNetwork(this.#parts, container, { network, force }),
    );
  }

  counts(): Readonly<Record<ContainerStatus, number>> {
    return this.#parts.registry.counts();
  }

  async #freeze(container: LiveContainer, to: 'paused' | 'running'): Promise<void> {
    await this.#parts.registry.exclusively(container, async () => {
      const { task, state } = container;
      if (to === 'running' && state.status !== 'paused') throw conflict(`Container ${container.id} is not paused`);
      if (state.status === 'paused' && to === 'paused') throw conflict(`Container ${container.id} is already paused`);
      if (task === undefined) throw conflict(`container ${container.id} is not running`);
      await (to === 'paused' ? task.pause() : task.resume());
      this.#publish(container, to === 'paused' ? 'pause' : 'unpause');
      this.#parts.registry.setState(container, { status: to });
    });
  }

  #find(name: string): LiveContainer {
    return this.#parts.registry.find(name);
  }

  #publish(container: LiveContainer, action: string, more: Record<string, string> = {}): void {
    this.#parts.events.publish('container', action, container.id, { ...container.eventAttributes, ...more });
  }
}

/** The image called `name` and all that were built on it, by their layers. */
function imagesBuiltOn(images: readonly Image[], name: string): ReadonlySet<string> {
  const short = name.replace(/^sha256:/, '');
  const base = images.find(
    (image) =>
      image.id.slice('sha256:'.length).startsWith(short) ||
      image.tags.some((tag) => tag === name || tag.endsWith(`/${name}`) || tag.endsWith(`/${name}:latest`)),
  );
  if (base === undefined) return new Set();
  const layers = base.config.rootfs.diff_ids;
  const built = images.filter((image) => layers.every((id, index) => image.config.rootfs.diff_ids[index] === id));
  return new Set(layers.length === 0 ? [base.id] : built.map((image) => image.id));
}
