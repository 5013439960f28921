import type { LogLine } from '#runtime';

/** A service that takes a container's output beside the file that the engine keeps. */
export interface LogDestination {
  /** Resolves when the line was handed over. Throws `unavailable` when the service is gone; it is then of no more use. */
  send(line: LogLine): Promise<void>;
  close(): void;
}
