import type { ImageSource } from '../commands/provide-images.ts';

/** Told what a watch does. */
export interface WatchListener {
  /** One line for the person who looks on. */
  say(text: string): void;
  /** What a command that `sync+exec` ran has printed. */
  output(text: string): void;
  /** All that some changes asked for has been done, or has failed. */
  settled(): void;
}

/** How services are watched. */
export interface WatchOptions {
  /** Services; all with a `develop.watch` when empty. */
  readonly services: readonly string[];
  readonly source: ImageSource;
  /** False forbids the action `rebuild`. */
  readonly build: boolean;
  readonly quietBuild: boolean;
  /** Remove the images that a rebuild replaces. */
  readonly prune: boolean;
  readonly listener: WatchListener;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}
