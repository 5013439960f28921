import type { Client } from '#client';
import type { Project, Service } from '../model/index.ts';
import type { Reporter } from './reporter.ts';

/** Told of starts of containers. */
export interface StartListener {
  /** A container is about to be started: not before a promise resolves. */
  starting(container: { readonly id: string; readonly service: string }): void | Promise<void>;
  /** It could not be. */
  failed(id: string): void;
}

/** What a plan is run with. */
export interface ExecuteOptions {
  readonly client: Client;
  readonly projectName: string;
  /** Needed for plans that create containers. */
  readonly project?: Project | undefined;
  readonly reporter: Reporter;
  /** Config hash of a service whose references are resolved. */
  readonly hash?: ((service: Service) => string) | undefined;
  /** Image id of each service. */
  readonly imageIds?: Readonly<Record<string, string | undefined>> | undefined;
  /** Most calls at a time; no limit when 0 or less. */
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gives a timeout its own signal: waits for health end with it. */
  readonly waitSignal?: AbortSignal | undefined;
  readonly starts?: StartListener | undefined;
}
