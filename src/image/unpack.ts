import type { LayerArchiver } from '#archive';
import { type Digest, invalid, KeyedLock, newId, withUndo } from '#base';
import type { ContentStore } from '#content';
import type { Descriptor } from '#oci';
import type { Snapshotter } from '#snapshot';
import { nextChainId } from './chain-id.ts';
import type { ImageRecords } from './image-records.ts';
import type { LayerStage, UnpackedLayer } from './layer-stage.ts';
import type { Leases } from './leases.ts';
import { unpackPrefix } from './unpack-prefix.ts';

/** What the {@link Unpacker} needs. */
export interface UnpackerOptions {
  readonly content: Pick<ContentStore, 'pathOf'>;
  readonly snapshots: Snapshotter;
  readonly archiver: Pick<LayerArchiver, 'apply'>;
  readonly records: Pick<ImageRecords, 'putLayer'>;
  readonly leases: Leases;
}

/** How an operation unpacks. */
export interface UnpackOptions {
  readonly signal?: AbortSignal | undefined;
  /** Layers that the operation unpacked already while they arrived. */
  readonly stage?: LayerStage;
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
    options: UnpackOptions = {},
  ): Promise<Digest | undefined> {
    let chain: Digest | undefined;
    for (const [index, diffId] of diffIds.entries()) {
      const layer = layers[index];
      if (layer !== undefined) chain = await this.unpackLayer({ layer, diffId }, chain, options);
    }
    return chain;
  }

  /**
   * Unpacks one layer on top of `parent`, once however many ask for it. Throws `invalid` when its content is not
   * `diffId`; then nothing of it stays.
   */
  async unpackLayer(
    { layer, diffId }: { readonly layer: Descriptor; readonly diffId: Digest },
    parent: Digest | undefined,
    options: UnpackOptions = {},
  ): Promise<Digest> {
    const { snapshots, leases } = this.#options;
    const chain = nextChainId(parent, diffId);
    await leases.with(async (lease) => {
      await lease.hold(layer.digest, chain, ...(parent === undefined ? [] : [parent]));
      await this.#lock.run(chain, async () => {
        if (await snapshots.has(chain)) return;
        const staged = await options.stage?.take(layer.digest);
        await withUndo(async (undo) => {
          if (staged === undefined) {
            const key = `${unpackPrefix}${newId()}`;
            await snapshots.prepare(key, parent);
            undo.push(() => snapshots.remove(key));
            await this.#apply(key, { layer, diffId }, options.signal);
            await snapshots.commit(chain, key);
          } else {
            undo.push(() => snapshots.remove(staged.key));
            checkDiffId(staged, { layer, diffId });
            const onto = parent === undefined ? {} : { onto: parent, keepRoot: staged.hasRoot };
            await snapshots.commit(chain, staged.key, onto);
          }
          this.#options.records.putLayer(chain, diffId, layer);
        });
      });
    });
    return chain;
  }

  async #apply(key: string, { layer, diffId }: { layer: Descriptor; diffId: Digest }, signal: AbortSignal | undefined) {
    const { content, snapshots, archiver } = this.#options;
    const target = await snapshots.directory(key);
    const options = { expectedDiffId: diffId, ...(signal === undefined ? {} : { signal }) };
    await archiver.apply(content.pathOf(layer.digest), target, options);
  }
}

function checkDiffId(staged: UnpackedLayer, { layer, diffId }: { layer: Descriptor; diffId: Digest }): void {
  const found = staged.diffId ?? layer.digest;
  if (found === diffId) return;
  throw invalid(`bad layer: its content is ${found}, but the image wants ${diffId}`, {
    details: { expected: diffId, found },
  });
}
