import type { Client } from '#client';
import type { WatchOptions } from '#compose';
import type { ComposeInvocation } from './compose-command.ts';
import { lazyImageSource } from './lazy-image-source.ts';

/** Where images come from and where output goes, for `watch` and `up --watch`; `say` prints a line of ours. */
export function watchOptions(
  invocation: ComposeInvocation,
  client: Client,
  say: (text: string) => void,
): Pick<WatchOptions, 'source' | 'listener'> {
  const { stdout } = invocation.terminal;
  return {
    source: lazyImageSource(client, invocation),
    listener: { say, output: (text) => stdout.write(text) },
  };
}
