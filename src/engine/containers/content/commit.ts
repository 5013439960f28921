import { lstat, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, newId, unavailable, withUndo } from '#base';
import type { Processes } from '#host';
import type { ImageMaker, ImageReader } from '#image';
import {
  canonicalString,
  familiarString,
  hostPlatform,
  type ImageConfig,
  type ImageRunConfig,
  parseReference,
  withDefaultTag,
} from '#oci';
import type { Snapshotter } from '#snapshot';
import type { EventJournal } from '../../events/events.ts';
import type { ContainerRequest } from '../container.ts';
import { placeholders } from '../inspect/changes.ts';
import type { LiveContainer } from '../live-container.ts';
import { applyChanges } from './commit-changes.ts';

/** What a commit needs. */
export interface CommitDependencies {
  readonly images: Pick<ImageReader, 'get'> & ImageMaker;
  readonly snapshots: Pick<Snapshotter, 'prepare' | 'directory' | 'remove'>;
  readonly processes: Processes;
  readonly events: EventJournal;
}

/** As `Containers.commit`. */
export interface CommitOptions {
  readonly repo?: string;
  readonly tag?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly pause: boolean;
  readonly changes: readonly string[];
  readonly config?: Partial<ContainerRequest>;
}

/** Makes an image of a container's changes and settings. The container's own layer is copied, so it goes on as it is. */
export function commitContainer(
  deps: CommitDependencies,
  container: LiveContainer,
  options: CommitOptions,
): Promise<Digest> {
  return deps.images.holding(() => commit(deps, container, options));
}

async function commit(deps: CommitDependencies, container: LiveContainer, options: CommitOptions): Promise<Digest> {
  const tag = options.repo
    ? canonicalString(withDefaultTag(parseReference(options.tag ? `${options.repo}:${options.tag}` : options.repo)))
    : undefined;
  const run = applyChanges(runConfig(container, options.config), options.changes);
  const { settings } = container;
  const base = await deps.images.get(settings.imageId);
  const layer = await commitLayer(deps, container, options.pause);
  const created = new Date().toISOString();
  const { process } = settings;
  const author = options.author ? { author: options.author } : {};
  const config: ImageConfig = {
    ...base.config,
    ...hostPlatform(),
    architecture: base.config.architecture,
    created,
    ...author,
    config: run,
    rootfs: { type: 'layers', diff_ids: [...base.config.rootfs.diff_ids, layer.diffId] },
    history: [
      ...(base.config.history ?? []),
      {
        created,
        created_by: [...(process.entrypoint ?? []), ...(process.cmd ?? [])].join(' '),
        ...author,
        ...(options.comment ? { comment: options.comment } : {}),
      },
    ],
  };
  const image = await deps.images.create(config, [...base.layers, layer.descriptor], {
    ...(tag ? { tags: [tag] } : {}),
    parent: base.id,
  });
  deps.events.publish('image', 'create', image.id, { name: image.id });
  deps.events.publish('container', 'commit', container.id, {
    ...container.eventAttributes,
    imageID: image.id,
    ...(tag ? { imageRef: familiarString(parseReference(tag)) } : {}),
    comment: options.comment ?? '',
  });
  return image.id;
}

async function commitLayer(deps: CommitDependencies, container: LiveContainer, pause: boolean) {
  const { settings, task } = container;
  return withUndo(async (undo) => {
    const key = newId();
    await deps.snapshots.prepare(key, settings.parentSnapshot);
    undo.push(() => deps.snapshots.remove(key));
    const paused = pause && task !== undefined && container.state.status === 'running';
    if (paused) {
      await task.pause();
      deps.events.publish('container', 'pause', container.id, container.eventAttributes);
    }
    try {
      await copyTree(deps.processes, await deps.snapshots.directory(container.id), await deps.snapshots.directory(key));
    } finally {
      if (paused) {
        await task.resume();
        deps.events.publish('container', 'unpause', container.id, container.eventAttributes);
      }
    }
    await dropPlaceholders(await deps.snapshots.directory(key), container);
    const layer = await deps.images.commitLayer(key, settings.parentSnapshot);
    if (layer === undefined) throw unavailable(`commit of container ${container.name}: no layer was made`);
    return layer;
  });
}

/** cp keeps whiteouts (device nodes), opaque marks (xattrs), hard links and owners, outside the event loop. */
async function copyTree(processes: Processes, from: string, to: string): Promise<void> {
  const { code, stderr } = await processes.run('cp', ['-aT', '--reflink=auto', '--', from, to]);
  if (code !== 0) throw unavailable(`cannot copy ${from}: ${stderr.trim()}`);
}

/** Empty files and directories that only mounting made are no part of an image. Deepest first; links are not followed. */
async function dropPlaceholders(upper: string, container: LiveContainer): Promise<void> {
  const targets = container.settings.mounts.map((mount) => mount.point.destination);
  const paths = [...placeholders(targets), '/etc'].sort((a, b) => b.length - a.length);
  for (const path of paths) {
    if (!(await parentsAreDirectories(upper, path))) continue;
    const target = join(upper, path);
    const stat = await lstat(target).catch(() => undefined);
    if (stat?.isFile() && stat.size === 0) await rm(target);
    // A directory that still holds something stays.
    else if (stat?.isDirectory()) await rmdir(target).catch(() => undefined);
  }
}

async function parentsAreDirectories(root: string, path: string): Promise<boolean> {
  const parts = path.split('/').slice(1, -1);
  for (let length = 1; length <= parts.length; length++) {
    const stat = await lstat(join(root, ...parts.slice(0, length))).catch(() => undefined);
    if (!stat?.isDirectory()) return false;
  }
  return true;
}

function runConfig(container: LiveContainer, own: Partial<ContainerRequest> = {}): ImageRunConfig {
  const { process, exposedPorts, volumes, labels, healthcheck } = container.settings;
  const set = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));
  const ports = [...exposedPorts, ...(own.exposedPorts ?? [])];
  const paths = [...volumes, ...(own.volumes ?? [])];
  const check = own.healthcheck ?? healthcheck;
  const asked = own.process;
  return {
    ...(asked?.user || process.user ? { User: asked?.user || process.user } : {}),
    ...(ports.length > 0 ? { ExposedPorts: set(ports) } : {}),
    Env: [...(asked?.env.length ? asked.env : process.env)],
    Entrypoint: [...(asked?.entrypoint ?? process.entrypoint ?? [])],
    Cmd: [...(asked?.cmd ?? process.cmd ?? [])],
    ...(paths.length > 0 ? { Volumes: set(paths) } : {}),
    ...(asked?.workingDir || process.workingDir ? { WorkingDir: asked?.workingDir || process.workingDir } : {}),
    Labels: { ...labels, ...own.labels },
    ...(process.stopSignal ? { StopSignal: process.stopSignal } : {}),
    ...(check ? { Healthcheck: check } : {}),
    ...(process.shell ? { Shell: [...process.shell] } : {}),
    ...(own.onBuild ? { OnBuild: [...own.onBuild] } : {}),
  };
}
