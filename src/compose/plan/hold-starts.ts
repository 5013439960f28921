import type { Plan, Step } from './plan.ts';

/**
 * The plan in another order: no container is started before all that can be made without a start has been made, well or
 * not. For an `up` that is looked at: first what is made, then what the containers say.
 */
export function holdStarts(plan: Plan): Plan {
  const steps = new Map(plan.steps.map((step) => [step.id, step]));
  const known = new Map<string, boolean>();
  /** Whether a step is a start or a wait, or comes after one. */
  const isLate = (step: Step): boolean => {
    const before = known.get(step.id);
    if (before !== undefined) return before;
    const { kind } = step.operation;
    const late =
      kind === 'start-container' ||
      kind === 'wait-for' ||
      [...step.after, ...(step.afterEnd ?? [])].some((id) => {
        const other = steps.get(id);
        return other !== undefined && isLate(other);
      });
    known.set(step.id, late);
    return late;
  };
  const early = plan.steps.filter((step) => !isLate(step)).map(({ id }) => id);
  return {
    ...plan,
    steps: plan.steps.map((step) =>
      step.operation.kind === 'start-container' ? { ...step, afterEnd: [...(step.afterEnd ?? []), ...early] } : step,
    ),
  };
}
