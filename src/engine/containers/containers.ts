import type { Readable } from 'node:stream';
import type { Digest } from '#base';
import type { EndpointRequest } from '#network';
import type { LogLine, LogQuery, TaskStats } from '#runtime';
import type { Session } from '../events/session.ts';
import type { Container, ContainerRequest, ContainerStatus, ResourceSettings, RestartPolicy } from './container.ts';
import type { SecretPlace } from './secrets/secret-files.ts';

/** Which containers a list shows. Several values of one key are alternatives; keys are all needed. */
export interface ContainerFilter {
  readonly all?: boolean;
  /** Only the newest so many, whatever their state. */
  readonly limit?: number;
  readonly size?: boolean;
  /** Docker's filter keys, as the API decodes them: `status`, `label`, `name`, `ancestor`, ... */
  readonly filters?: Readonly<Record<string, readonly string[]>>;
}

/** Bytes of a container's own layer and of the whole root. */
export interface ContainerSize {
  readonly rw: number;
  readonly rootFs: number;
}

/** When `wait` answers. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** Attach as the API asks it: the container need not run yet. */
export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Output so far first (from the log), then live when `stream`. */
  readonly logs: boolean;
  readonly stream: boolean;
}

/** What a path in a container is (X-Docker-Container-Path-Stat). */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode bits. */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

/** A container's counters with what `stats` needs around them. */
export interface ContainerStats {
  readonly container: Pick<Container, 'id' | 'name'>;
  /** Undefined when it does not run. */
  readonly current: TaskStats | undefined;
  /** By interface name. */
  readonly interfaces: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** One sample of a container, and the one before it for the deltas that clients show. */
export interface StatsPair {
  readonly sample: ContainerStats;
  /** Undefined for the first of a watch. */
  readonly before: ContainerStats | undefined;
}

/**
 * Use cases on containers. Names are accepted as full id, name, or unambiguous id prefix; unknown ones throw
 * `not-found` ("No such container: X"). Every change is durable and announced as an event before it returns.
 */
export interface Containers {
  create(request: ContainerRequest): Promise<{ id: string; warnings: string[] }>;
  get(name: string): Promise<Container>;
  list(filter: ContainerFilter): Promise<Container[]>;
  size(name: string): Promise<ContainerSize>;
  /** `not-modified` when it runs. Throws `invalid` when the process cannot be started; state.error then says why. */
  start(name: string, options?: { detachKeys?: string }): Promise<void>;
  /**
   * Starts one that is to take the place of `holder`, which runs: it gets no published port, and names that others
   * answer to do not lead to it, until {@link Containers.takeOver}. Throws `conflict` when either has no network of its
   * own.
   */
  startBeside(name: string, holder: string): Promise<void>;
  /**
   * Ports, names in DNS and the container's name go to the one that was started beside, in one step; the other goes on
   * under the other name with its open connections. Returns the other's id. Throws `conflict` when it does not stand by.
   */
  takeOver(name: string): Promise<{ from: string }>;
  /** Waits until nobody is connected to what it listens on, `timeout` seconds at most; returns how many still are. */
  drain(name: string, options: { timeout: number; signal: AbortSignal }): Promise<{ open: number }>;
  /**
   * Gives it a file whose content is kept in memory only, is in no layer and no answer, and lasts until the container is
   * removed or the host boots. A running container sees the new content of a path it has at once, a new path from its
   * next start. Throws `invalid`, `conflict` where something is mounted, `unavailable` when there is no room.
   */
  putSecret(name: string, place: SecretPlace, content: Uint8Array): Promise<void>;
  /** Signal, then SIGKILL after `timeout` seconds. `not-modified` when it does not run. */
  stop(name: string, options?: { signal?: string; timeout?: number }): Promise<void>;
  restart(name: string, options?: { signal?: string; timeout?: number }): Promise<void>;
  /** Throws `conflict` when it does not run, `invalid` for an unknown signal. */
  kill(name: string, signal: string): Promise<void>;
  pause(name: string): Promise<void>;
  unpause(name: string): Promise<void>;
  rename(name: string, to: string): Promise<void>;
  remove(name: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>;
  update(name: string, changes: { resources: ResourceSettings; restart?: RestartPolicy }): Promise<string[]>;
  /** `registered` runs as soon as the wait is armed, so that a client may start the container without a race. */
  wait(
    name: string,
    condition: WaitCondition,
    options: { registered: () => void; signal: AbortSignal },
  ): Promise<{ exitCode: number; error?: string }>;
  attach(name: string, options: AttachOptions): Promise<Session>;
  resize(name: string, size: { rows: number; columns: number }): Promise<void>;
  /** Lines in batches, as they are read from disk. Throws `not-implemented` for a log driver that cannot be read. */
  logs(name: string, query: Omit<LogQuery, 'follow'> & { follow: boolean }): Promise<AsyncIterable<readonly LogLine[]>>;
  /** `psArgs` default `-ef`; returns ps's columns. */
  top(name: string, psArgs: string): Promise<{ titles: string[]; processes: string[][] }>;
  /** Counters of this moment. */
  stats(name: string): Promise<ContainerStats>;
  /**
   * Counters now and then every second, each with the sample before, until `signal` aborts or the container is removed.
   * All watches share one sampling. Throws `not-found` at once, not when it is first read.
   */
  watchStats(name: string, signal: AbortSignal): AsyncIterable<StatsPair>;
  /** Kind as Docker's: 0 changed, 1 added, 2 deleted. */
  changes(name: string): Promise<{ path: string; kind: 0 | 1 | 2 }[]>;
  export(name: string): Promise<Readable>;
  statPath(name: string, path: string): Promise<PathStat>;
  readArchive(name: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; archive: Readable }>;
  writeArchive(
    name: string,
    path: string,
    archive: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; signal: AbortSignal },
  ): Promise<void>;
  commit(
    name: string,
    options: {
      repo?: string;
      tag?: string;
      author?: string;
      comment?: string;
      pause: boolean;
      changes: readonly string[];
      config?: Partial<ContainerRequest>;
    },
  ): Promise<Digest>;
  prune(filters: Readonly<Record<string, readonly string[]>>): Promise<{ deleted: string[]; reclaimed: number }>;
  connectNetwork(name: string, endpoint: EndpointRequest): Promise<void>;
  disconnectNetwork(name: string, network: string, force: boolean): Promise<void>;
  /** How many are in each state, without copying them. */
  counts(): Readonly<Record<ContainerStatus, number>>;
}
