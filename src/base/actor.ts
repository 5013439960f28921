import { AsyncLocalStorage } from 'node:async_hooks';

/** Who caused what is happening now: recorded with every event. */
export interface Actor {
  /** `api` for a client's call, `engine` for what the engine does by itself (restart policy, health, reconcile). */
  readonly via: 'api' | 'engine';
  /** Peer of a unix socket, or undefined over TCP. */
  readonly uid?: number;
  readonly pid?: number;
  /** User-Agent header of the client, if any. */
  readonly agent?: string;
}

const storage = new AsyncLocalStorage<Actor>();
const self: Actor = { via: 'engine' };

/** Runs `body`, and all it awaits, in the name of `actor`. */
export function asActor<T>(actor: Actor, body: () => T): T {
  return storage.run(actor, body);
}

/** The actor of the current call chain; the engine itself where none was set. */
export function currentActor(): Actor {
  return storage.getStore() ?? self;
}
