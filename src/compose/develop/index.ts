import type { ProjectContext } from '../commands/context.ts';
import type { WatchOptions } from './watch-options.ts';

export type { WatchListener, WatchOptions } from './watch-options.ts';

/**
 * Prepares to watch the files of services as their `develop.watch` says; `run` does it until the signal of the options.
 * Throws `invalid` where nothing can be watched. The code is loaded here: few commands need it.
 */
export async function prepareWatch(context: ProjectContext, options: WatchOptions): Promise<{ run(): Promise<void> }> {
  const { ServiceWatch } = await import('./service-watch.ts');
  return new ServiceWatch(context, options);
}
