import type { Dependency, Project, Service } from '../model/index.ts';
import type { Observed } from './observed.ts';

/** When containers that exist are replaced. */
export type RecreatePolicy = 'diverged' | 'force' | 'never';

/** What `up` and `create` are to reach, and what there is. */
export interface UpPlanInput {
  /** Scales given on the command line are already in it. */
  readonly project: Project;
  readonly observed: Observed;
  /** Services asked for by name, or all. */
  readonly named: ReadonlySet<string>;
  /** Those and, unless told otherwise, all they depend on. */
  readonly selected: ReadonlySet<string>;
  /** For services asked for. */
  readonly recreate: RecreatePolicy;
  /** For the others. */
  readonly recreateDependencies: RecreatePolicy;
  /** Image id of each service, where it is known. */
  readonly imageIds: Readonly<Record<string, string | undefined>>;
  /** Config hash of a service whose references are resolved. */
  readonly hash: (service: Service) => string;
  readonly removeOrphans: boolean;
  /** Nothing is said of orphans. */
  readonly ignoreOrphans: boolean;
  readonly renewAnonymousVolumes: boolean;
  /** Seconds until a container that is stopped is killed; its own time when absent. */
  readonly timeout?: number | undefined;
  /** False: containers are only made. */
  readonly start: boolean;
  /** Names of volumes that are made anew because they differ from the file; their data is lost. */
  readonly recreateVolumes: ReadonlySet<string>;
  /** Also wait until everything runs or is healthy. */
  readonly wait: boolean;
  /** Why this engine cannot let a container take over from another; absent where it can. */
  readonly cannotSwap?: string | undefined;
  /** Dependencies of something outside the plan that must be reached, too. */
  readonly waitFor?: readonly { readonly name: string; readonly dependency: Dependency }[];
}
