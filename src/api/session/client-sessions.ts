import { conflict, timedOut } from '#base';
import { type Connection, connectGrpc, type GrpcCaller } from '#buildkit';
import { KeyedWaiters } from './keyed-waiters.ts';

/** A connection on which a client answers what its builds ask. */
export interface ClientSession {
  readonly id: string;
  readonly caller: GrpcCaller;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
}

/** How long a build waits for its session, in ms; the client opens both at once. */
const patience = 5000;

/** The sessions that are open, each as long as its connection lives. */
export class ClientSessions {
  readonly #open = new Map<string, ClientSession>();
  readonly #waiters = new KeyedWaiters<ClientSession>();

  /** Throws `conflict` for an id that is in use; the connection is then still the caller's. */
  assertFree(id: string): void {
    if (this.#open.has(id)) throw conflict(`session ${id} already exists`);
  }

  /** Takes over a connection whose other end serves. */
  add(id: string, connection: Connection): void {
    this.assertFree(id);
    const caller = connectGrpc(connection);
    const ended = new AbortController();
    const session = { id, caller, signal: ended.signal };
    this.#open.set(id, session);
    void caller.closed.then(() => {
      this.#open.delete(id);
      ended.abort();
    });
    this.#waiters.give(id, session);
  }

  /** The session of that id; one that is not there yet is waited for. Throws `timeout` with Docker's text. */
  async get(id: string, signal: AbortSignal): Promise<ClientSession> {
    const late = () => timedOut(`no active session for ${id}: context deadline exceeded`);
    return this.#open.get(id) ?? this.#waiters.wait(id, { signal, ms: patience, late });
  }
}
