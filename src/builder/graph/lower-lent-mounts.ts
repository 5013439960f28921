import { posix } from 'node:path';
import type { Instruction, MountFlag } from '../instructions/instruction.ts';
import type { StageState } from '../plan/stage-state.ts';
import { mountRights } from './mount-rights.ts';
import type { AgentMount, SecretMount } from './operation.ts';

/**
 * The secrets and agents that a RUN asks for, with BuildKit's defaults: a secret is named by `source` or `id`, else by the
 * last part of its target, and lies at /run/secrets/NAME unless it is only wanted in the environment; agents are the
 * client's `default` one at /run/buildkit/ssh_agent.N.
 */
export function lowerLentMounts(
  instruction: Instruction<'run'>,
  state: StageState,
): { secrets: SecretMount[]; agents: AgentMount[] } {
  const expand = (text: string | undefined) => state.expand(text ?? '', instruction);
  const absolute = (target: string) => posix.resolve('/', state.workdir, target);
  const rights = (flag: MountFlag, mode: number) => ({
    required: flag.required,
    ...mountRights(flag, mode, { instruction, state }),
  });
  const secrets: SecretMount[] = [];
  const agents: AgentMount[] = [];
  for (const flag of instruction.mounts) {
    const named = expand(flag.source || flag.id);
    const given = expand(flag.target);
    const target = given === '' ? undefined : absolute(given);
    if (flag.type === 'secret') {
      const id = named || posix.basename(given);
      const standard = flag.env === undefined ? absolute(`/run/secrets/${posix.basename(id)}`) : undefined;
      const env = flag.env === undefined ? undefined : expand(flag.env);
      secrets.push({ id, target: target ?? standard, env, ...rights(flag, 0o400) });
    } else if (flag.type === 'ssh') {
      const standard = `/run/buildkit/ssh_agent.${agents.length}`;
      agents.push({ id: named || 'default', target: target ?? standard, ...rights(flag, 0o600) });
    }
  }
  return { secrets, agents };
}

/**
 * The environment with the first agent's address in `SSH_AUTH_SOCK`, as BuildKit sets it: also where the client turns out
 * to have no such agent, but never over a value that the stage has.
 */
export function withAgentAddress(env: readonly string[], agents: readonly AgentMount[]): string[] {
  const [first] = agents;
  const known = env.some((entry) => entry.startsWith('SSH_AUTH_SOCK='));
  return first === undefined || known ? [...env] : [...env, `SSH_AUTH_SOCK=${first.target}`];
}
