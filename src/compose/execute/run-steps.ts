import { BerthError, messageOf } from '#base';
import type { Step } from '../plan/index.ts';

/** What went wrong in one step. */
export interface StepFailure {
  readonly step: Step;
  readonly error: unknown;
}

/** Runs steps; a step never begins before those it comes after. */
export interface RunStepsOptions {
  /** Does one step. */
  readonly run: (step: Step) => Promise<void>;
  /** Most steps at a time; no limit when 0 or less. */
  readonly parallel: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs steps in parallel along their dependencies. A step that fails takes with it those that come after it; all others
 * are done, so that one service's error does not hide the others'. Resolves with the failures, in order of time.
 */
export function runSteps(steps: readonly Step[], options: RunStepsOptions): Promise<StepFailure[]> {
  const waiting = new Map(steps.map((step) => [step.id, step]));
  const known = new Set(waiting.keys());
  const succeeded = new Set<string>();
  const failed = new Set<string>();
  const failures: StepFailure[] = [];
  let running = 0;
  return new Promise((resolve) => {
    const done = (id: string): boolean => succeeded.has(id) || !known.has(id);
    const isReady = (step: Step): boolean =>
      step.after.every(done) && (step.afterEnd ?? []).every((id) => done(id) || failed.has(id));
    const begin = (step: Step): void => {
      waiting.delete(step.id);
      running += 1;
      options
        .run(step)
        .then(
          () => succeeded.add(step.id),
          (error: unknown) => {
            failed.add(step.id);
            failures.push({ step, error });
          },
        )
        .finally(() => {
          running -= 1;
          proceed();
        });
    };
    /** Steps that can no longer happen, because one before them failed, fail in silence. */
    const dropUnreachable = (): void => {
      for (let before = -1; before !== waiting.size; ) {
        before = waiting.size;
        for (const step of waiting.values()) {
          if (!step.after.some((id) => failed.has(id))) continue;
          waiting.delete(step.id);
          failed.add(step.id);
        }
      }
    };
    const proceed = (): void => {
      if (options.signal?.aborted) waiting.clear();
      dropUnreachable();
      for (const step of [...waiting.values()]) {
        if (options.parallel > 0 && running >= options.parallel) break;
        if (isReady(step)) begin(step);
      }
      if (running === 0) resolve(failures);
    };
    proceed();
  });
}

/** One error for several: the first one's kind, every message once. */
export function combinedError(failures: readonly { error: unknown }[]): Error {
  const [first] = failures;
  const messages = [...new Set(failures.map(({ error }) => messageOf(error)))];
  if (messages.length === 1 && first?.error instanceof Error) return first.error;
  const kind = first?.error instanceof BerthError ? first.error.kind : 'internal';
  return new BerthError(kind, messages.join('\n'), { cause: first?.error });
}
