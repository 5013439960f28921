import type { Readable } from 'node:stream';
import { type Digest, digestOf, invalid } from '#base';
import { type ContentStore, ingest } from '#content';
import { hostPlatform, type ImageConfig, type ImageRunConfig, mediaTypes, type Platform } from '#oci';
import { dropUnused } from './collect-garbage.ts';
import type { Image } from './image.ts';
import type { ImageRecords } from './image-records.ts';
import type { LayerStage } from './layer-stage.ts';
import type { Lease, Leases } from './leases.ts';
import type { LocalImageMaker } from './make-image.ts';
import { openArchive } from './open-archive.ts';
import { parseTagName } from './resolve.ts';

/** What {@link importImage} is told. */
export interface ImportOptions {
  readonly target?: string;
  readonly config?: ImageRunConfig;
  readonly message?: string;
  readonly platform?: Platform;
  /** Creation time, RFC 3339; default now. Given, equal archives become equal images. */
  readonly created?: string;
  readonly signal?: AbortSignal;
}

/** What {@link importImage} needs. */
export interface ImportContext {
  readonly content: ContentStore;
  readonly records: ImageRecords;
  readonly leases: Leases;
  readonly maker: Pick<LocalImageMaker, 'create'>;
  /** Makes a stage for the layer of this import. */
  readonly stage: () => LayerStage;
}

/** Makes an image of one layer from a root file system tar, compressed or not. Throws `invalid`. */
export async function importImage(archive: Readable, options: ImportOptions, context: ImportContext): Promise<Image> {
  if (options.target !== undefined) parseTagName(options.target);
  const brought: Digest[] = [];
  try {
    return await context.leases.with(async (lease) => {
      const layers = context.stage();
      try {
        return await importHeld(archive, options, { ...context, lease, brought, layers });
      } finally {
        await layers.close();
      }
    });
  } catch (error) {
    await dropUnused(brought, context);
    throw error;
  }
}

async function importHeld(
  archive: Readable,
  options: ImportOptions,
  context: ImportContext & { lease: Lease; brought: Digest[]; layers: LayerStage },
): Promise<Image> {
  const { content, lease, maker, layers } = context;
  const { target, signal } = options;
  const plain = await openArchive(archive);
  let layer: { digest: Digest; size: number };
  const staged = layers.begin();
  try {
    layer = await ingest(content, plain, { ...(signal === undefined ? {} : { signal }), onWritten: staged.advance });
    staged.finish(layer.digest);
  } catch (error) {
    staged.abandon();
    throw error;
  } finally {
    archive.destroy();
  }
  context.brought.push(layer.digest);
  if (layer.size === 0) throw invalid('the archive to import is empty');
  await lease.hold(layer.digest);
  const created = options.created ?? new Date().toISOString();
  const comment = options.message ?? 'Imported from -';
  const config: ImageConfig & { comment: string } = {
    ...(options.platform ?? hostPlatform()),
    comment,
    created,
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    history: [{ created, comment }],
  };
  context.brought.push(digestOf(JSON.stringify(config)));
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: layer.digest, size: layer.size };
  return maker.create(config, [descriptor], { stage: layers, ...(target === undefined ? {} : { tags: [target] }) });
}
