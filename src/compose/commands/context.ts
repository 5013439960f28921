import type { Client } from '#client';
import type { Reporter } from '../execute/index.ts';
import type { Project, Service } from '../model/index.ts';

/** What every command works with. */
export interface ComposeContext {
  readonly client: Client;
  readonly reporter: Reporter;
  readonly projectName: string;
  /** Absent where a project is managed by its name only, without a file. */
  readonly project?: Project | undefined;
  /** Config hash of a service whose references are resolved. */
  readonly hash: (service: Service) => string;
  /** Most calls to the engine at a time; no limit when 0 or less. */
  readonly parallel: number;
  readonly signal?: AbortSignal | undefined;
}

/** A context whose project is known. */
export interface ProjectContext extends ComposeContext {
  readonly project: Project;
}
