import type { NetworkCreateRequest, VolumeCreateRequest } from '#api-types';
import type { Dependency, FileObject, FileReference, Hook, Service } from '../model/index.ts';
import type { ObservedContainer } from './observed.ts';

/** A container that exists (`id`) or will, once the step that creates it has run. */
export interface ContainerRef {
  /** `SERVICE#NUMBER`, unique in a plan. */
  readonly key: string;
  readonly service: string;
  /** Name when the plan is done. */
  readonly name: string;
  readonly number: number;
  readonly id?: string;
}

/** What becomes of a resource that is in use. */
export interface KeepUsed {
  /**
   * Ids of the project's containers when the plan was made. Given: what is in use stays, with a warning, unless there are
   * others by now, which nobody knew of.
   */
  readonly seen?: readonly string[];
}

/** One call of the API, as data. Times are seconds. */
export type Operation =
  | { readonly kind: 'create-network'; readonly body: NetworkCreateRequest }
  | ({ readonly kind: 'remove-network'; readonly id: string; readonly name: string } & KeepUsed)
  | { readonly kind: 'disconnect-network'; readonly network: string; readonly container: ContainerRef }
  | { readonly kind: 'create-volume'; readonly body: VolumeCreateRequest }
  | ({ readonly kind: 'remove-volume'; readonly name: string } & KeepUsed)
  | {
      readonly kind: 'create-container';
      readonly container: ContainerRef;
      readonly service: Service;
      /** Name until it is renamed; the final one unless another container still has that. */
      readonly createName: string;
      /** Container whose anonymous volumes go over to the new one. */
      readonly inherit?: ObservedContainer;
      /** Name of the container it takes the place of. */
      readonly replaces?: string;
    }
  | { readonly kind: 'put-file'; readonly container: ContainerRef; readonly file: DeliveredFile }
  | {
      readonly kind: 'start-container';
      readonly container: ContainerRef;
      /** Runs meanwhile and keeps ports and names until they are taken over. */
      readonly beside?: ContainerRef;
    }
  | {
      readonly kind: 'prove-container';
      readonly container: ContainerRef;
      /** Longest until it is healthy. */
      readonly timeout: number;
      /** How long it must run where it has no health check. */
      readonly monitor: number;
    }
  | { readonly kind: 'take-over'; readonly container: ContainerRef; readonly from: ContainerRef }
  | { readonly kind: 'drain-container'; readonly container: ContainerRef; readonly timeout: number }
  | { readonly kind: 'stop-container'; readonly container: ContainerRef; readonly timeout?: number }
  | { readonly kind: 'restart-container'; readonly container: ContainerRef; readonly timeout?: number }
  | { readonly kind: 'kill-container'; readonly container: ContainerRef; readonly signal: string }
  | { readonly kind: 'pause-container'; readonly container: ContainerRef }
  | { readonly kind: 'unpause-container'; readonly container: ContainerRef }
  | {
      readonly kind: 'remove-container';
      readonly container: ContainerRef;
      readonly volumes: boolean;
      readonly force: boolean;
    }
  | { readonly kind: 'rename-container'; readonly container: ContainerRef; readonly name: string }
  | { readonly kind: 'run-hook'; readonly container: ContainerRef; readonly hook: Hook }
  | {
      readonly kind: 'wait-for';
      readonly dependency: string;
      readonly containers: readonly ContainerRef[];
      readonly condition: WaitCondition;
      /** False: a failure is only a warning. */
      readonly required: boolean;
    }
  | { readonly kind: 'remove-image'; readonly name: string };

/** What a wait is over at. `running_or_healthy`: healthy, or running where there is no health check. */
export type WaitCondition = Exclude<Dependency['condition'], 'service_started'> | 'running_or_healthy';

/** A secret or config whose content is uploaded into the container before it starts. */
export interface DeliveredFile {
  readonly what: 'secret' | 'config';
  readonly reference: FileReference;
  readonly object: FileObject;
  /** Absolute path in the container. */
  readonly path: string;
}

/** What output says while a step runs and when it is done. */
export interface StepDisplay {
  readonly resource: string;
  readonly begin?: string;
  readonly end?: string;
}

/** What a failed step is followed by, and what then is said beside its error. */
export interface Rescue {
  readonly operations: readonly Operation[];
  readonly outcome: string;
}

/** One operation of a plan, why it is there, and what must be done before. */
export interface Step {
  /** Unique in the plan. */
  readonly id: string;
  readonly operation: Operation;
  readonly reason: string;
  /** Ids of steps that must have succeeded; ids that are not in the plan count as done. */
  readonly after: readonly string[];
  /** Ids of steps that must have ended, well or not. */
  readonly afterEnd?: readonly string[];
  readonly display?: StepDisplay;
  readonly rescue?: Rescue | undefined;
}

/** All that is to be done, as data: printed by `--dry-run`, run by the executor. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Containers of each service when the plan is done. */
  readonly containers: Readonly<Record<string, readonly ContainerRef[]>>;
  /** Resources that are as they should be, with the word that output says of them. */
  readonly unchanged: readonly { readonly resource: string; readonly status: string }[];
  readonly warnings: readonly string[];
}

/** Collects the steps of a plan. */
export class PlanBuilder {
  readonly #steps = new Map<string, Step>();
  readonly #containers: Record<string, ContainerRef[]> = {};
  readonly #unchanged: { resource: string; status: string }[] = [];
  readonly #warnings: string[] = [];

  /** Adds a step and returns its id. A step with an id that is there already is the same step and is not added again. */
  add(step: Step): string {
    if (!this.#steps.has(step.id)) this.#steps.set(step.id, step);
    return step.id;
  }

  /** Takes a step out again; what comes after it no longer waits for it. */
  drop(id: string): void {
    this.#steps.delete(id);
  }

  has(id: string): boolean {
    return this.#steps.has(id);
  }

  keep(container: ContainerRef): void {
    const list = this.#containers[container.service] ?? [];
    list.push(container);
    this.#containers[container.service] = list;
  }

  /** Containers of a service, by number. */
  containersOf(service: string): readonly ContainerRef[] {
    return this.#containers[service] ?? [];
  }

  unchanged(resource: string, status: string): void {
    this.#unchanged.push({ resource, status });
  }

  warn(message: string): void {
    this.#warnings.push(message);
  }

  done(): Plan {
    return {
      steps: [...this.#steps.values()],
      containers: this.#containers,
      unchanged: this.#unchanged,
      warnings: this.#warnings,
    };
  }
}

/** A reference to a container that exists. */
export function refOf(container: ObservedContainer): ContainerRef {
  return {
    key: `${container.service}#${container.oneOff ? container.name : container.number}`,
    service: container.service,
    name: container.name,
    number: container.number,
    id: container.id,
  };
}
