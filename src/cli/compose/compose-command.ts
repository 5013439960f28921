import type { ComposeContext, Project, ProjectContext } from '#compose';
import type { Command, Invocation } from '../command/index.ts';

/** The flags between `compose` and the subcommand. */
export interface ComposeGlobals {
  readonly files: readonly string[];
  readonly envFiles: readonly string[];
  readonly profiles: readonly string[];
  readonly projectName: string;
  readonly projectDirectory: string;
  /** `auto`, `tty`, `plain`, `json` or `quiet`. */
  readonly progress: string;
  readonly ansi: string;
  /** Most calls at a time; -1 for no limit. */
  readonly parallel: number;
  readonly dryRun: boolean;
  /** Also networks, volumes and the like that no service uses. */
  readonly allResources: boolean;
}

/** What a compose subcommand is called with. */
export interface ComposeInvocation extends Invocation {
  readonly compose: ComposeGlobals;
}

/** One subcommand of `compose`. */
export interface ComposeCommand extends Omit<Command, 'run'> {
  run(invocation: ComposeInvocation): Promise<number | undefined | void>;
}

export type { ComposeContext, Project, ProjectContext };
