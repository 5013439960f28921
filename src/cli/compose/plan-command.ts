import type { Plan } from '#compose';
import type { ComposeContext, ComposeInvocation } from './compose-command.ts';
import { type Opened, openNamed } from './open-project.ts';
import { printPlan } from './print-plan.ts';

/** Runs what makes and executes a plan; in a dry run the plan is printed. */
export async function runPlan<C extends ComposeContext>(
  invocation: ComposeInvocation,
  opened: Opened<C>,
  run: (context: Opened<C>['context']) => Promise<Plan>,
): Promise<Plan> {
  const { context } = opened;
  try {
    const plan = await run(context);
    if (invocation.compose.dryRun) printPlan(plan, invocation.terminal);
    return plan;
  } finally {
    context.reporter.close();
  }
}

/** {@link runPlan} for the services that the command names, all where it names none. */
export async function runServicePlan(
  invocation: ComposeInvocation,
  run: (
    context: Awaited<ReturnType<typeof openNamed>>['context'],
    target: { readonly services: readonly string[]; readonly dryRun: boolean },
  ) => Promise<Plan>,
): Promise<Plan> {
  const { args, compose } = invocation;
  const opened = await openNamed(invocation, args);
  return runPlan(invocation, opened, (context) => run(context, { services: args, dryRun: compose.dryRun }));
}

/** The seconds of `--timeout`, undefined when it is not given. */
export function timeoutFlag(invocation: ComposeInvocation, name = 'timeout'): number | undefined {
  return invocation.flags.changed(name) ? invocation.flags.number(name) : undefined;
}
