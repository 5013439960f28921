import type {
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageManifestSummary,
  ImageRunConfig,
  ImageSummary,
} from '#api-types';
import type { Image, ImageReader, ImageRemoval } from '#image';
import type { ImageRunConfig as OciRunConfig } from '#oci';
import { familiarString, parseReference } from '#oci';
import { storageDriver } from './container-inspect.ts';
import { formatTime, secondsOf } from './time.ts';

const familiar = (names: readonly string[]) => names.map((name) => familiarString(parseReference(name)));

/** Answer of GET /images/{name}/json. `old` is true for clients below API 1.44, who also get VirtualSize. */
export function encodeImageInspect(image: Image, old: boolean): ImageInspect {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: familiar(image.tags),
    RepoDigests: familiar(image.repoDigests),
    Parent: image.parent ?? '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? formatTime(undefined),
    DockerVersion: '',
    Author: config.author ?? '',
    Config: encodeRunConfig(config.config ?? {}),
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    Size: image.size,
    ...(old ? { VirtualSize: image.size } : {}),
    GraphDriver: { Data: null, Name: storageDriver },
    RootFS: { Type: 'layers', ...(config.rootfs.diff_ids.length > 0 ? { Layers: [...config.rootfs.diff_ids] } : {}) },
    Metadata: { LastTagTime: formatTime(image.lastTaggedAt === 0 ? undefined : image.lastTaggedAt) },
  };
}

function encodeRunConfig(config: OciRunConfig): ImageRunConfig {
  return {
    Cmd: config.Cmd ?? null,
    Entrypoint: config.Entrypoint ?? null,
    Env: config.Env ?? null,
    ...(config.ExposedPorts ? { ExposedPorts: config.ExposedPorts } : {}),
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    Labels: config.Labels ?? null,
    OnBuild: config.OnBuild?.length ? config.OnBuild : null,
    ...(config.Shell ? { Shell: config.Shell } : {}),
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.ArgsEscaped ? { ArgsEscaped: true } : {}),
    User: config.User ?? '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
  };
}

/** What a list entry needs beside the image; -1 where it was not counted. */
export interface ImageCounts {
  readonly containers: number;
  readonly sharedSize: number;
  /** True for clients below API 1.44, who also get VirtualSize. */
  readonly old: boolean;
}

/** One entry of GET /images/json. */
export function encodeImageSummary(image: Image, counts: ImageCounts): ImageSummary {
  return {
    Containers: counts.containers,
    Created: secondsOf(image.config.created),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent ?? '',
    RepoDigests: familiar(image.repoDigests),
    RepoTags: familiar(image.tags),
    SharedSize: counts.sharedSize,
    Size: image.size,
    ...(counts.old ? { VirtualSize: image.size } : {}),
  };
}

/** The one manifest that an image of this store has; `manifestSize` and `contentSize` (all its blobs) in bytes. */
export function encodeImageManifest(
  image: Image,
  facts: { readonly mediaType: string; readonly manifestSize: number; readonly contentSize: number },
  containers: readonly string[],
): ImageManifestSummary {
  const { os, architecture, variant } = image.config;
  const platform = { architecture, os, ...(variant ? { variant } : {}) };
  return {
    ID: image.manifestDigest,
    Descriptor: { mediaType: facts.mediaType, digest: image.manifestDigest, size: facts.manifestSize, platform },
    Available: true,
    Kind: 'image',
    Size: { Content: facts.contentSize, Total: facts.contentSize + image.size },
    ImageData: { Platform: platform, Containers: [...containers], Size: { Unpacked: image.size } },
  };
}

type HistoryStep = Awaited<ReturnType<ImageReader['history']>>[number];

/** One entry of GET /images/{name}/history. */
export function encodeHistoryStep(step: HistoryStep): ImageHistoryItem {
  return {
    Comment: step.comment ?? '',
    Created: secondsOf(step.created),
    CreatedBy: step.created_by ?? '',
    Id: step.id === '' ? '<missing>' : step.id,
    Size: step.size,
    Tags: step.tags.length > 0 ? familiar(step.tags) : null,
  };
}

/** One step of a removal. */
export function encodeRemoval(step: ImageRemoval): ImageDeleteItem {
  if ('deleted' in step) return { Deleted: step.deleted };
  return { Untagged: familiar([step.untagged])[0] ?? step.untagged };
}
