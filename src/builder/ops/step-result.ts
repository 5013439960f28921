import { digestOf } from '#base';
import type { NewLayer } from '#image';
import type { HistoryEntry } from '#oci';
import type { StepOutcome } from '../cache/cache-records.ts';

/** The image as it is after a step: its file system, layers and history. */
export interface StepResult {
  /** Snapshot to prepare on; undefined while there is no layer. */
  readonly chainId: string | undefined;
  readonly layers: readonly NewLayer[];
  readonly history: readonly HistoryEntry[];
  /** Names this result by all that led to it. */
  readonly key: string;
  /** What the step itself did; undefined for base images. */
  readonly outcome: StepOutcome | undefined;
}

/** An empty file system. */
export const scratchResult: StepResult = {
  chainId: undefined,
  layers: [],
  history: [],
  key: 'scratch',
  outcome: undefined,
};

/** Puts a step's outcome on top of what it stands on. `key` is the step's cache key. */
export function stackOutcome(
  below: StepResult,
  outcome: StepOutcome,
  options: { key: string; author: string | undefined },
): StepResult {
  const { layer, createdBy, createdAt } = outcome;
  const entry: HistoryEntry = {
    created: new Date(createdAt).toISOString(),
    created_by: createdBy,
    ...(options.author !== undefined && { author: options.author }),
    ...(layer === undefined && { empty_layer: true }),
  };
  return {
    chainId: layer?.chainId ?? below.chainId,
    layers:
      layer === undefined ? below.layers : [...below.layers, { descriptor: layer.descriptor, diffId: layer.diffId }],
    history: [...below.history, entry],
    key: cacheKey({ below: below.key, step: options.key }),
    outcome,
  };
}

/** A cache key of plain data: its properties in the order written. */
export function cacheKey(data: Readonly<Record<string, unknown>>): string {
  return digestOf(JSON.stringify(data));
}
