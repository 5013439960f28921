import type { Plan } from '#compose';
import type { ComposeContext, ComposeInvocation } from './compose-command.ts';
import type { Opened } from './open-project.ts';
import { printPlan } from './print-plan.ts';

/** Runs what makes and executes a plan; in a dry run the plan is printed. */
export async function runPlan<C extends ComposeContext>(
  invocation: ComposeInvocation,
  opened: Opened<C>,
  run: (context: Opened<C>['context']) => Promise<Plan>,
): Promise<void> {
  const { context } = opened;
  try {
    const plan = await run(context);
    if (invocation.compose.dryRun) printPlan(plan, invocation.terminal);
  } finally {
    context.reporter.close();
  }
}

/** The seconds of `--timeout`, undefined when it is not given. */
export function timeoutFlag(invocation: ComposeInvocation, name = 'timeout'): number | undefined {
  return invocation.flags.changed(name) ? invocation.flags.number(name) : undefined;
}
