import { invalid } from '#base';
import type { RestartPolicy } from '#engine';
import { goObject, int, text } from './go-json.ts';

/** Schema of HostConfig.RestartPolicy. */
export const restartPolicySchema = goObject({ Name: text, MaximumRetryCount: int });

const names = ['no', 'always', 'on-failure', 'unless-stopped'] as const;

/** Reads a restart policy; an empty name is `no`. Throws `invalid` with Docker's text for one there is not. */
export function decodeRestartPolicy(wire: {
  Name?: string | undefined;
  MaximumRetryCount?: number | undefined;
}): RestartPolicy {
  const name = names.find((candidate) => candidate === (wire.Name || 'no'));
  if (name === undefined) {
    throw invalid(
      `invalid restart policy: unknown policy '${wire.Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  return { name, maximumRetryCount: wire.MaximumRetryCount ?? 0 };
}
