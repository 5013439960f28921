import { isBerthError } from '#base';
import type { BuildAgents, BuildSecrets } from '#builder';
import { sessionMethods } from '#buildkit';
import type { RegistryCredentials } from '#image';
import { AgentConnection } from './agent-connection.ts';
import type { ClientSession } from './client-sessions.ts';

/** How long the client may take to answer a question that it need not think about, in ms. */
const answerMs = 30_000;

/** True for what a client says that has none of what it was asked for. */
function isAbsent(error: unknown): boolean {
  return isBerthError(error, 'not-found') || isBerthError(error, 'not-implemented');
}

/**
 * Waits for the client to answer. docker 20.10 hangs when its build fails before it has begun to serve its session.
 * Throws `timeout` and `unavailable`.
 */
export async function assertServing({ caller }: ClientSession, signal: AbortSignal): Promise<void> {
  try {
    await caller.ask(sessionMethods.health, { service: '' }, { signal, timeoutMs: answerMs });
  } catch (error) {
    // A client without a health service has answered, too.
    if (!isAbsent(error)) throw error;
  }
}

/** The secrets that a client gives to its builds. */
export function secretsOf({ caller }: ClientSession): BuildSecrets {
  return {
    async get(ID, signal) {
      try {
        return (await caller.ask(sessionMethods.getSecret, { ID }, { signal, timeoutMs: answerMs })).data;
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
  };
}

/** The ssh agents that a client gives to its builds. */
export function agentsOf({ caller, signal: session }: ClientSession): BuildAgents {
  return {
    async has(ID, signal) {
      try {
        await caller.ask(sessionMethods.checkAgent, { ID }, { signal, timeoutMs: answerMs });
        return true;
      } catch (error) {
        // Docker's clients answer an unknown id with an error of no particular code.
        if (signal.aborted || session.aborted || isBerthError(error, 'timeout')) throw error;
        return false;
      }
    },
    connect: (id, signal) => Promise.resolve(new AgentConnection(caller, id, signal)),
  };
}

/** The logins that a client has stored; asked for by the name of the registry. */
export function loginOf({ caller, signal }: ClientSession) {
  return async (registry: string): Promise<RegistryCredentials | undefined> => {
    // Docker's clients know the login of their default registry by the host that its images come from.
    const Host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
    try {
      const { Username, Secret } = await caller.ask(
        sessionMethods.credentials,
        { Host },
        { signal, timeoutMs: answerMs },
      );
      if (Secret === '') return undefined;
      return Username === '' ? { identityToken: Secret } : { username: Username, password: Secret };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  };
}
