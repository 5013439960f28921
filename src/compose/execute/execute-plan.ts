import { BerthError, messageOf, unavailable } from '#base';
import { type Operation, type Plan, type Rescue, resourceName, type Step } from '../plan/index.ts';
import type { ExecuteOptions } from './execute-options.ts';
import { OperationRunner } from './operation-runner.ts';
import { OvertakenError, wasOvertaken } from './overtaken-error.ts';
import { placeError } from './place-error.ts';
import type { Outcome } from './remove-resource.ts';
import { combinedError, runSteps } from './run-steps.ts';

class PlanRun {
  readonly #plan: Plan;
  readonly #options: ExecuteOptions;
  readonly #begun = new Set<string>();
  readonly #operations: OperationRunner;

  constructor(plan: Plan, options: ExecuteOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#operations = new OperationRunner(plan, options);
  }

  async run(): Promise<void> {
    const { reporter } = this.#options;
    for (const warning of this.#plan.warnings) reporter.warn(warning);
    for (const { resource, status } of this.#plan.unchanged) reporter.status({ resource, status, kind: 'done' });
    try {
      const failures = await runSteps(this.#plan.steps, {
        run: (step) => this.#runStep(step),
        parallel: this.#options.parallel ?? 0,
        signal: this.#options.signal,
      });
      if (failures.length > 0) {
        await this.#rescueUnstarted();
        const error = combinedError(failures);
        if (!failures.every(({ error: one }) => wasOvertaken(one))) throw error;
        const kind = error instanceof BerthError ? error.kind : 'conflict';
        throw new OvertakenError(kind, error.message, { cause: error });
      }
    } finally {
      this.#operations.close();
    }
  }

  async #runStep(step: Step): Promise<void> {
    const { reporter } = this.#options;
    const { display, operation: begun } = step;
    this.#begun.add(step.id);
    if (begun.kind === 'start-container') {
      await this.#options.starts?.starting({
        id: this.#operations.target(begun.container),
        service: begun.container.service,
      });
    }
    if (display?.begin) reporter.status({ resource: display.resource, status: display.begin, kind: 'working' });
    let outcome: Outcome;
    try {
      outcome = await this.#operations.perform(step.operation);
    } catch (cause) {
      const failure = step.rescue === undefined ? cause : await this.#rescue(step.rescue, cause);
      const error = placeError(failure, step.operation, this.#options.project);
      const resource = display?.resource ?? resourceOf(step.operation);
      // Of what has no beginning on the screen only the error is told, at the end.
      const isShown = display === undefined || display.begin !== undefined;
      if (resource !== undefined && isShown && step.operation.kind !== 'wait-for') {
        reporter.status({ resource, status: failureText(step, error), kind: 'error' });
      }
      throw error;
    }
    if (display?.end && typeof outcome === 'object') reporter.status({ resource: display.resource, ...outcome });
    else if (display?.end) reporter.status({ resource: display.resource, status: display.end, kind: 'done' });
  }

  /** A replacement that was made but whose start came after what failed is undone as one that failed to start. */
  async #rescueUnstarted(): Promise<void> {
    for (const { id, operation, rescue } of this.#plan.steps) {
      if (operation.kind !== 'start-container' || rescue === undefined || this.#begun.has(id)) continue;
      if (!this.#operations.wasCreated(operation.container)) continue;
      for (const one of rescue.operations) {
        await this.#operations.perform(one).catch((error: unknown) => this.#options.reporter.warn(messageOf(error)));
      }
    }
  }

  /** Does what a failed step is followed by; returns the error that tells both. */
  async #rescue({ operations, outcome }: Rescue, cause: unknown): Promise<Error> {
    const kind = cause instanceof BerthError ? cause.kind : 'internal';
    const text = messageOf(cause);
    try {
      for (const operation of operations) await this.#operations.perform(operation);
      return new BerthError(kind, `${text}\n${outcome}`, { cause });
    } catch (error) {
      return new BerthError(kind, `${text}\nand could not be undone: ${messageOf(error)}`, { cause });
    }
  }
}

/** What is shown of a step that failed; of those that end a container the cause comes only at the end. */
function failureText({ operation, display }: Step, error: unknown): string {
  const ends = ['stop-container', 'kill-container', 'remove-container'].includes(operation.kind);
  return ends && display?.begin ? `Error while ${display.begin}` : `Error ${messageOf(error)}`;
}

function resourceOf(operation: Operation): string | undefined {
  return 'container' in operation ? resourceName('Container', operation.container.name) : undefined;
}

/**
 * Runs a plan. Independent steps run at the same time, and one that fails stops only what comes after it; in the end all
 * failures are thrown as one error, an `OvertakenError` where others caused them. Whatever state an interruption leaves, the next plan goes on from it.
 */
export async function executePlan(plan: Plan, options: ExecuteOptions): Promise<void> {
  await new PlanRun(plan, options).run();
}

/**
 * Runs a plan whose waits for containers end after `seconds`; without a limit where that is absent or not positive.
 * Throws `unavailable` when the time is over.
 */
export async function executeWithin(plan: Plan, options: ExecuteOptions, seconds: number | undefined): Promise<void> {
  if (seconds === undefined || seconds <= 0) return executePlan(plan, options);
  const limit = AbortSignal.timeout(seconds * 1000);
  const waitSignal = AbortSignal.any([limit, ...(options.signal ? [options.signal] : [])]);
  try {
    await executePlan(plan, { ...options, waitSignal });
  } catch (error) {
    if (!limit.aborted || options.signal?.aborted) throw error;
    throw unavailable(`application not healthy after ${seconds}s`, { cause: error });
  }
}
