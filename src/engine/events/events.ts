import type { Actor } from '#base';

/** Docker's object types in events. */
export type EventType = 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder' | 'plugin';

/** Something that happened; field meanings as Docker's `events`. */
export interface EngineEvent {
  readonly type: EventType;
  readonly action: string;
  /** Id or name of the object. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** ns since the epoch; never the same twice. */
  readonly timeNano: bigint;
  readonly actor: Actor;
}

/** Where events are announced. */
export type EventPublisher = Pick<EventJournal, 'publish'>;

/** The engine's memory of what happened: bounded, on disk, survives restarts. */
export interface EventJournal {
  /** Records with the current actor and time, and announces. */
  publish(type: EventType, action: string, id: string, attributes?: Readonly<Record<string, string>>): void;
  /**
   * Announces what happened at `time` (ms since the epoch) while nobody watched. Never earlier than what was announced
   * before, so that who reads on from the last event it has seen misses none.
   */
  at(time: number): EventPublisher;
  /**
   * Past events from `since` (ns), then live ones until `until` (ns) or `signal`. Filters as Docker's:
   * `type`, `event`, `container`, `image`, `label`, ...
   */
  read(query: {
    since?: bigint;
    until?: bigint;
    filters: Readonly<Record<string, readonly string[]>>;
    signal: AbortSignal;
  }): AsyncIterable<EngineEvent>;
}
