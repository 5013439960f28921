import { invalid } from '#base';
import type { RestartPolicy } from '#engine';
import { goObject, int, text } from './go-json.ts';

/** Schema of HostConfig.RestartPolicy. */
export const restartPolicySchema = goObject({ Name: text, MaximumRetryCount: int });

const names = ['no', 'always', 'on-failure', 'unless-stopped'] as const;

/** Reads a restart policy; an empty name is `no`. Throws `invalid` with Docker's texts. */
export function decodeRestartPolicy(wire: {
  Name?: string | undefined;
  MaximumRetryCount?: number | undefined;
}): RestartPolicy {
  const count = wire.MaximumRetryCount ?? 0;
  const name = names.find((candidate) => candidate === (wire.Name || 'no'));
  if (name === undefined) {
    throw invalid(
      `invalid restart policy: unknown policy '${wire.Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (name !== 'on-failure' && count !== 0) {
    const also = count < 0 ? ' and cannot be negative' : '';
    throw invalid(`invalid restart policy: maximum retry count can only be used with 'on-failure'${also}`);
  }
  if (count < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
  return { name, maximumRetryCount: count };
}
