/** One file or directory that a source of COPY or ADD names. */
export interface Match {
  /** Directory on this machine that the path is resolved in. */
  readonly root: string;
  /** Path inside `root`, no slash in front. */
  readonly path: string;
  readonly directory: boolean;
}

/** How matches are seen: both digest and copy depend on it. */
export interface MatchView {
  readonly matches: readonly Match[];
  /** Patterns (as in `.dockerignore`) of what to leave out. */
  readonly exclude: readonly string[];
  /** Keep the directories above each source (`--parents`). */
  readonly parents: boolean;
  /** True keeps owners; false gives everything to root. */
  readonly keepOwner: boolean;
}
