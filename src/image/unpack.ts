import type { LayerArchiver } from '#archive';
import { type Digest, KeyedLock, newId, withUndo } from '#base';
import type { ContentStore } from '#content';
import type { Descriptor } from '#oci';
import type { Snapshotter } from '#snapshot';
import { nextChainId } from './chain-id.ts';
import type { ImageRecords } from './image-records.ts';
import type { Leases } from './leases.ts';

/** Key prefix of snapshots that are being unpacked; after a restart nobody needs them. */
export const unpackPrefix = 'unpack:';

/** What the {@link Unpacker} needs. */
export interface UnpackerOptions {
  readonly content: Pick<ContentStore, 'pathOf'>;
  readonly snapshots: Snapshotter;
  readonly archiver: Pick<LayerArchiver, 'apply'>;
  readonly records: Pick<ImageRecords, 'putLayer'>;
  readonly leases: Leases;
}

/** Unpacks layer blobs into committed snapshots named by chain id. */
export class Unpacker {
  readonly #options: UnpackerOptions;
  readonly #lock = new KeyedLock();

  constructor(options: UnpackerOptions) {
    this.#options = options;
  }

  /** Unpacks all layers that are not unpacked yet; returns the top chain id, undefined without layers. */
  async unpackAll(
    layers: readonly Descriptor[],
    diffIds: readonly Digest[],
    signal?: AbortSignal,
  ): Promise<Digest | undefined> {
    let chain: Digest | undefined;
    for (const [index, diffId] of diffIds.entries()) {
      const layer = layers[index];
      if (layer !== undefined) chain = await this.unpackLayer(layer, diffId, chain, signal);
    }
    return chain;
  }

  /**
   * Unpacks one layer on top of `parent`, once however many ask for it. Throws `invalid` when its content is not
   * `diffId`; then nothing of it stays.
   */
  async unpackLayer(
    layer: Descriptor,
    diffId: Digest,
    parent: Digest | undefined,
    signal?: AbortSignal,
  ): Promise<Digest> {
    const { content, snapshots, archiver, records, leases } = this.#options;
    const chain = nextChainId(parent, diffId);
    await leases.with(async (lease) => {
      await lease.hold(layer.digest, chain, ...(parent === undefined ? [] : [parent]));
      await this.#lock.run(chain, async () => {
        if (await snapshots.has(chain)) return;
        await withUndo(async (undo) => {
          const key = `${unpackPrefix}${newId()}`;
          await snapshots.prepare(key, parent);
          undo.push(() => snapshots.remove(key));
          const target = await snapshots.directory(key);
          const options = { expectedDiffId: diffId, ...(signal === undefined ? {} : { signal }) };
          await archiver.apply(content.pathOf(layer.digest), target, options);
          await snapshots.commit(chain, key);
          records.putLayer(chain, diffId, layer);
        });
      });
    });
    return chain;
  }
}
