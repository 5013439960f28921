/** A shell command that uses the docker CLI, and how much of its result must be as recorded. */
export interface Step {
  readonly run: string;
  /** `all` is exit code, stdout and stderr; `out` leaves stderr out; `code` compares the exit code alone. */
  readonly compare: 'all' | 'out' | 'code';
}

/** Steps that build on each other; they run in order in a directory of their own. */
export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Runs afterwards whatever happened; its result does not count. */
  readonly cleanup?: string;
}

/** A step of which everything counts. */
export const all = (run: string): Step => ({ run, compare: 'all' });
/** A step whose stderr does not count. */
export const out = (run: string): Step => ({ run, compare: 'out' });
/** A step of which only the exit code counts. */
export const code = (run: string): Step => ({ run, compare: 'code' });
