import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** One mount(2), as data; `options` as in mount(8): flags by name, the rest goes to the file system as data. */
export interface MountRequest {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

/** One line of /proc/self/mountinfo. */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  readonly device: string;
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly propagation: readonly string[];
}

/** Mounting in this process's mount namespace. */
export interface Mounts {
  /** Throws `unavailable` with errno, source and target. */
  mount(request: MountRequest): Promise<void>;
  /** Nothing mounted there is a success. `detach` is MNT_DETACH. */
  unmount(target: string, options?: { detach?: boolean }): Promise<void>;
  list(): Promise<MountEntry[]>;
}

/** Named network namespaces, pinned to files. */
export interface NetworkNamespaces {
  /** Makes one and binds it to the file `path`. */
  create(path: string): Promise<void>;
  /** Unpins; the kernel ends it with its last process. Nothing there is a success. */
  remove(path: string): Promise<void>;
  /** Runs the synchronous `body` with this thread inside the namespace: sockets and children made there belong to it. */
  enter<T>(path: string, body: () => T): T;
}

/** How to start a program. */
export interface SpawnOptions {
  /**
   * By number: a pipe to us, /dev/null, one of our descriptors, or (output only) a relayed pipe. A program that splices
   * into a pipe holds the pipe's lock while it waits for its input, and whoever reads the pipe then waits for the lock,
   * O_NONBLOCK or not (kernel, fs/splice.c). So what containers write into must not be read by our event loop: a relay
   * (`tee`) reads it. The relay lasts until the last writer is gone, so that nobody is ended by a broken pipe when we are.
   */
  readonly stdio: readonly ('pipe' | 'ignore' | 'relay' | number)[];
  /** Default: ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** In a session of its own. */
  readonly detached?: boolean;
}

/** Events of a {@link Child}: `exit` when it has ended, `close` when its output is read to the end too. */
export interface ChildEvents {
  error: [Error];
  exit: [code: number | null, signal: NodeJS.Signals | null];
  close: [code: number | null, signal: NodeJS.Signals | null];
}

/** A started program; members and events mean what they mean in node:child_process. */
export interface Child extends EventEmitter<ChildEvents> {
  /** Undefined when it could not be started; `error` says why. */
  readonly pid: number | undefined;
  readonly stdio: readonly (Socket | null)[];
  readonly stdin: Socket | null;
  readonly stdout: Socket | null;
  readonly stderr: Socket | null;
  /** Default SIGTERM; false when it has ended. */
  kill(signal?: NodeJS.Signals): boolean;
}

/** Runs helper programs; the one place in the server that spawns. */
export interface Processes {
  /** Runs to the end. Resolves whatever the exit code; rejects `unavailable` when it cannot be started or is aborted. */
  run(
    command: string,
    args: readonly string[],
    options?: {
      input?: string | Uint8Array;
      env?: NodeJS.ProcessEnv;
      cwd?: string;
      signal?: AbortSignal;
      netns?: string;
    },
  ): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Starts; the caller owns it. With `netns`, inside that network namespace. */
  spawn(command: string, args: readonly string[], options: SpawnOptions & { netns?: string }): Child;
}
