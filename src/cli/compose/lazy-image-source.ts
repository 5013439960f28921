import type { Client } from '#client';
import type { ImageSource } from '#compose';
import type { ComposeInvocation } from './compose-command.ts';

/** Gets images by code that is loaded only when one is missing: most of the time none is. */
export function lazyImageSource(client: Client, invocation: ComposeInvocation): ImageSource {
  const load = async (): Promise<ImageSource> => {
    const { ClientImageSource } = await import('./image-source.ts');
    return new ClientImageSource(client, invocation);
  };
  return {
    pull: async (image, options) => (await load()).pull(image, options),
    checkBuild: async (service, options) => (await load()).checkBuild(service, options),
    build: async (service, options) => (await load()).build(service, options),
  };
}
