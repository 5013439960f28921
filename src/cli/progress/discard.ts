import { Writable } from 'node:stream';

/** An output that keeps nothing, for quiet commands. */
export function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
