import { findContainer, type ObservedContainer, observeContainers } from '#compose';
import type { ComposeContext, ComposeInvocation } from './compose-command.ts';
import { type Opened, openNamed } from './open-project.ts';

/** The container of a service that a command means: `--index`, or the first. Throws `not-found`. */
export async function pickContainer(
  invocation: ComposeInvocation,
  service: string,
  options: { running: boolean },
): Promise<{ container: ObservedContainer; context: Opened<ComposeContext>['context'] }> {
  const { context } = await openNamed(invocation);
  const containers = await observeContainers(context.client, context.projectName);
  const index = invocation.flags.number('index');
  return { container: findContainer(containers, service, { index, running: options.running }), context };
}
