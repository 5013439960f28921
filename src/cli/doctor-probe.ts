/** What the host check found about one thing. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** Without it no container can run. */
  readonly essential: boolean;
  /** What there is, or what is wrong. */
  readonly detail: string;
  /** What to do about it; only where something is wrong. */
  readonly remedy?: string;
}

/** What the checks ask of the machine, so that tests can give another. */
export interface HostProbe {
  uid(): number;
  kernel(): string;
  /** Text of a file, undefined where it cannot be read. */
  file(path: string): string | undefined;
  exists(path: string): boolean;
  /** First line that a program prints. Throws when it is missing or fails. */
  program(name: string, args: readonly string[]): Promise<string>;
  /** All that a program prints. Throws when it is missing or fails. */
  output(name: string, args: readonly string[]): Promise<string>;
  /** Throws when an overlay cannot be mounted. */
  tryOverlay(): Promise<void>;
  /** Free bytes at a path that may not exist yet. */
  freeBytes(path: string): number;
}
