import type { IgnoreRule } from '#base';
import { type BerthError, type Digest, isBerthError } from '#base';
import { type CopyTarget, copyMatches } from './copy-matches.ts';
import { digestMatches, FileDigests } from './digest-matches.ts';
import { dropIgnored } from './drop-ignored.ts';
import { listMatches } from './list-matches.ts';
import type { Match, MatchView } from './match.ts';

/** Work on file trees that would block the event loop, as data for a worker thread. */
export type TreeJob =
  | { readonly kind: 'list'; readonly root: string; readonly patterns: readonly string[]; readonly context: boolean }
  | { readonly kind: 'digest'; readonly view: MatchView }
  | { readonly kind: 'copy'; readonly view: MatchView; readonly target: CopyTarget }
  | { readonly kind: 'drop-ignored'; readonly root: string; readonly rules: readonly IgnoreRule[] };

/** What each kind of job answers. */
export interface TreeJobResults {
  readonly list: Match[];
  readonly digest: Digest;
  readonly copy: undefined;
  readonly 'drop-ignored': undefined;
}

/** An error as it crosses from a worker thread. */
export interface TreeJobError {
  readonly kind: BerthError['kind'] | undefined;
  readonly message: string;
}

/** Does jobs one after the other; knows the digests of the files it has read. */
export class TreeJobRunner {
  readonly #files = new FileDigests();

  /** Throws what the job's function throws. */
  async run(job: TreeJob): Promise<TreeJobResults[TreeJob['kind']]> {
    switch (job.kind) {
      case 'list':
        return listMatches(job.root, job.patterns, { context: job.context });
      case 'digest':
        return digestMatches(job.view, this.#files);
      case 'copy':
        // Loaded only where it is needed: a copy from the context has no use for system calls of its own.
        copyMatches(job.view, job.target, job.view.keepOwner ? await import('#host') : undefined);
        return undefined;
      case 'drop-ignored':
        dropIgnored(job.root, job.rules);
        return undefined;
    }
  }
}

/** Makes an error fit for a message between threads. */
export function toJobError(error: unknown): TreeJobError {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: isBerthError(error) ? error.kind : undefined, message };
}
