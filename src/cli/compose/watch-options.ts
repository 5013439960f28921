import type { Client } from '#client';
import type { WatchListener, WatchOptions } from '#compose';
import type { ComposeInvocation } from './compose-command.ts';
import { lazyImageSource } from './lazy-image-source.ts';

/** Where images come from and where output goes, for `watch` and `up --watch`. */
export function watchOptions(
  invocation: ComposeInvocation,
  client: Client,
  listener: WatchListener,
): Pick<WatchOptions, 'source' | 'listener'> {
  return { source: lazyImageSource(client, invocation), listener };
}
