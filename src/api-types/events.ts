/** One line of GET /events. */
export interface EventMessage {
  /** Deprecated copies of Action, Actor.ID and the image; container and image events only. */
  status?: string;
  id?: string;
  from?: string;
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: 'local' | 'swarm';
  /** Seconds since the epoch. */
  time: number;
  /** Nanoseconds since the epoch: beyond 2^53, so a plain JSON.parse rounds it. */
  timeNano: number;
}
