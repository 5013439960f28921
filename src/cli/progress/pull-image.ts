import type { ProgressMessage } from '#api-types';
import { unavailable } from '#base';
import type { Client } from '#client';
import type { Invocation, Terminal } from '../command/index.ts';
import { readConfigFile } from '../host/index.ts';
import { credentialsFor, registryKey } from './credentials.ts';
import { readImageName, wantedTag } from './reference.ts';
import { renderProgress } from './render-progress.ts';

/** Pulls an image with the stored credentials, its progress on `output` or told to `onMessage` (neither: silent). */
export async function pullImage(
  client: Client,
  invocation: Pick<Invocation, 'globals'>,
  options: {
    image: string;
    platform?: string;
    output?: Terminal['stdout'] | Terminal['stderr'];
    onMessage?: (message: ProgressMessage) => void;
    allTags?: boolean;
    signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const name = readImageName(options.image);
  const auth = await credentialsFor(readConfigFile(invocation.globals.configDir), registryKey(name.registry));
  const messages = client.images.pull({
    image: name.familiar,
    tag: options.allTags ? '' : wantedTag(name),
    ...(options.platform ? { platform: options.platform } : {}),
    ...(auth ? { auth } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (options.output) await renderProgress(messages, options.output);
  else await drain(messages, options.onMessage);
}

async function drain(
  messages: AsyncIterable<ProgressMessage>,
  onMessage: (message: ProgressMessage) => void = () => undefined,
): Promise<void> {
  for await (const message of messages) {
    const fault = message.errorDetail?.message ?? message.error;
    if (fault !== undefined) throw unavailable(fault);
    onMessage(message);
  }
}
