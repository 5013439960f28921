import { invalid } from '#base';
import type { Terminal } from '../command/index.ts';
import { type ContextSource, contextSource } from './context-flag.ts';
import { type SecretSource, secretReader } from './secret-flag.ts';
import type { BuildExtras } from './session-build.ts';
import { type AgentSource, agentSocket } from './ssh-flag.ts';

/** What was named for a build, before it is looked at. */
export interface NamedExtras {
  readonly secrets: readonly SecretSource[];
  readonly agents: readonly AgentSource[];
  readonly contexts: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Looks at all that was named for a build: files, sockets and directories must be there. Of secrets and contexts with one
 * name the last counts. Throws the errors of {@link secretReader}, {@link agentSocket} and {@link contextSource}, `invalid`
 * for two agents of one name.
 */
export async function findExtras(
  named: NamedExtras,
  { cwd, env }: Pick<Terminal, 'cwd' | 'env'>,
): Promise<BuildExtras> {
  const secrets = new Map<string, () => Promise<Uint8Array>>();
  for (const secret of named.secrets) secrets.set(secret.id, await secretReader(secret, { cwd, env }));
  const agents = new Map<string, string>();
  for (const agent of named.agents) {
    const id = agent.id || 'default';
    if (agents.has(id)) throw invalid(`invalid duplicate ID ${id}`);
    agents.set(id, await agentSocket({ ...agent, id }, { cwd, env }));
  }
  const contexts = new Map<string, ContextSource>();
  for (const { name, value } of named.contexts) contexts.set(name, await contextSource(name, value, cwd));
  return { secrets, agents, contexts };
}
