import type { Session } from '../events/session.ts';

/** What to run in a container that runs. */
export interface ExecRequest {
  readonly container: string;
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly privileged: boolean;
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly detachKeys?: string;
  readonly consoleSize?: readonly [height: number, width: number];
}

/** An exec as inspect shows it. */
export interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecRequest;
  readonly running: boolean;
  /** Null until it has ended. */
  readonly exitCode: number | null;
  readonly pid: number;
}

/** Use cases on execs. */
export interface Execs {
  /** Throws `conflict` when the container is not running or is paused. */
  create(request: ExecRequest): Promise<string>;
  get(id: string): Promise<Exec>;
  /**
   * Attached: resolves with the connection once it is wired, before the process runs, so no output is lost; the exit
   * is in `get` when the output has ended. Detached: resolves when it runs, without a connection.
   */
  start(
    id: string,
    options: { detach: boolean; tty: boolean; consoleSize?: readonly [number, number] },
  ): Promise<Session | undefined>;
  resize(id: string, size: { rows: number; columns: number }): Promise<void>;
}
