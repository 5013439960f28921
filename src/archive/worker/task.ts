import type { Digest, ErrorKind } from '#base';
import type { FollowedLayer, LayerFacts, LayerLimits } from '../archive.ts';

/** What a worker is asked to do, as data that crosses threads. */
export type Job =
  | {
      readonly op: 'apply';
      readonly blob: string;
      readonly target: string;
      readonly expected: Digest | undefined;
      readonly limits: LayerLimits;
    }
  | {
      readonly op: 'follow';
      /** Descriptor of the blob's file, shared by all threads; the starter closes it. */
      readonly fd: number;
      readonly target: string;
      readonly limits: LayerLimits;
    }
  | { readonly op: 'diff'; readonly upper: string; readonly output: string }
  | {
      readonly op: 'pack';
      readonly root: string;
      readonly path: string;
      readonly rename: string | undefined;
      /** Paths below the packed one that are left out. */
      readonly excluded: ReadonlySet<string>;
      readonly exact: boolean;
    }
  | { readonly op: 'list'; readonly root: string; readonly path: string }
  | {
      readonly op: 'unpack';
      readonly root: string;
      readonly path: string;
      readonly noOverwriteDirNonDir: boolean;
      readonly withBase: boolean;
      readonly owner: { readonly uid: number; readonly gid: number } | undefined;
      readonly limits: LayerLimits;
    };

/** What each kind of job ends with. */
export interface JobResults {
  readonly apply: LayerFacts;
  readonly follow: FollowedLayer;
  readonly diff: LayerFacts;
  readonly pack: undefined;
  readonly list: readonly string[];
  readonly unpack: undefined;
}

/** An error on its way to the other thread. */
export interface WireError {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Messages to a worker; `id` is the task. */
export type ToWorker =
  | { readonly id: number; readonly what: 'start'; readonly job: Job }
  | { readonly id: number; readonly what: 'chunk'; readonly bytes: Uint8Array }
  | { readonly id: number; readonly what: 'written'; readonly size: number }
  | { readonly id: number; readonly what: 'end' }
  | { readonly id: number; readonly what: 'credit' }
  | { readonly id: number; readonly what: 'cancel' };

/** Messages from a worker. Exactly one `done` or `failed` ends a task. */
export type FromWorker =
  | { readonly id: number; readonly what: 'ready' }
  | { readonly id: number; readonly what: 'chunk'; readonly bytes: Uint8Array }
  | { readonly id: number; readonly what: 'credit' }
  | { readonly id: number; readonly what: 'done'; readonly result: JobResults[Job['op']] }
  | { readonly id: number; readonly what: 'failed'; readonly error: WireError };

/** Chunks that may be under way to the other thread, unacknowledged. With {@link chunkSize} this bounds memory. */
export const windowSize = 4;
/** Bytes of a full chunk. */
export const chunkSize = 256 * 1024;

/** A task as the code that does it sees it. */
export interface TaskContext {
  readonly signal: AbortSignal;
  /** Tells the caller that nothing foreseeable stands in the way any more. */
  ready(): void;
  /** Sends bytes to the caller (the buffer is given away); resolves when there is room for more. */
  send(bytes: Uint8Array): Promise<void>;
  /** How much of a growing file is there, and whether that is all. */
  readonly written: { readonly size: number; readonly isWhole: boolean };
  /** Resolves when a message has come: {@link written} may have changed, or the signal. For one waiter. */
  changed(): Promise<void>;
  /** The bytes that the caller sends, in order. */
  receive(): AsyncIterable<Buffer>;
}
