import type { ActorFacts } from './actor.ts';
/** A revision of a Compose project: GET /berth/projects/NAME/revisions, newest first. */
export interface ProjectRevision {
  Number: number;
  /** RFC 3339. */
  Time: string;
  Actor: ActorFacts;
  /** Who did it, as the client told: `anna@laptop`. */
  User: string;
  /** Service to image id. */
  Images: Record<string, string>;
  /** Service to why it was changed. */
  Changes: Record<string, string>;
  /** The project as the client wrote it; only where one revision is asked for. */
  Document?: unknown;
}

/** Answer of POST /berth/projects/NAME/revisions. */
export interface ProjectRevisionCreated {
  Number: number;
}

/** A line of the answer of POST /berth/projects/NAME/turn, which goes on until the client ends it. */
export type ProjectTurnMessage =
  /** Others are at work: `up by anna@laptop`. */
  | { WaitsFor: string }
  /** It is the client's turn. */
  | { Granted: true }
  /** What the client does is made pointless by this: `down by anna@laptop`. */
  | { EndsFor: string };

/** The log of a container that is gone while its service goes on: GET /berth/projects/NAME/logs, oldest first. */
export interface ProjectLog {
  /** Id and name of the container. */
  ID: string;
  Name: string;
  Service: string;
  /** Number within the service. */
  Number: number;
  Tty: boolean;
  /** RFC 3339. */
  Created: string;
  Removed: string;
  /** Bytes. */
  Size: number;
}
