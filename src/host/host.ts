import type { ChildProcess } from 'node:child_process';

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
  /** Starts; the caller owns it. `stdio` as in node:child_process, extra fds allowed. */
  spawn(
    command: string,
    args: readonly string[],
    options: {
      stdio: ('pipe' | 'ignore' | number)[];
      env?: NodeJS.ProcessEnv;
      cwd?: string;
      detached?: boolean;
      netns?: string;
    },
  ): ChildProcess;
}
