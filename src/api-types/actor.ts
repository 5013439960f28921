/** Who did something: a client by its connection, or the engine itself. */
export interface ActorFacts {
  /** `api` or `engine`. */
  Via: string;
  /** Of the peer of a unix socket. */
  Uid?: number;
  Pid?: number;
  /** What the client calls itself (User-Agent). */
  Agent?: string;
}
