import { isBerthError, messageOf } from '#base';
import type { BuildRecipe, BuildStep } from '#builder';
import { DetailedError } from '#buildkit';

/** Where a failure is looked for. */
export interface FailurePlace {
  readonly dockerfile: string;
  /** Undefined where the Dockerfile came with the context. */
  readonly recipe: BuildRecipe | undefined;
  readonly step: BuildStep | undefined;
}

/**
 * A failure as clients of BuildKit know it: of no particular code, which they would show, and with the place in the
 * Dockerfile, which they print (`solver/errdefs.Source`). A build that was canceled stays that.
 */
export function asBuildFailure(error: unknown, { dockerfile, recipe, step }: FailurePlace): unknown {
  if (isBerthError(error, 'canceled')) return error;
  const failure = new Error(messageOf(error), { cause: error });
  const line = step?.line ?? lineOf(error);
  if (recipe === undefined || line === undefined || line < 1) return failure;
  const value = {
    info: { filename: dockerfile, data: Buffer.from(recipe.text).toString('base64'), language: 'Dockerfile' },
    ranges: [{ start: { line }, end: { line: lastLine(recipe.text, line) } }],
  };
  return new DetailedError(failure, [{ type: 'github.com/moby/buildkit/errdefs.Source+json', value }]);
}

/** The line that an error of the Dockerfile itself names. */
function lineOf(error: unknown): number | undefined {
  const line = isBerthError(error) ? error.details.line : undefined;
  return typeof line === 'number' ? line : undefined;
}

/** The last line of the instruction that begins at `first`; both 1-based. */
function lastLine(text: string, first: number): number {
  const lines = text.split('\n');
  const escaped = /^#\s*escape\s*=\s*`/im.test(text) ? /`\s*$/ : /\\\s*$/;
  let last = first;
  while (last < lines.length && escaped.test(lines[last - 1] ?? '')) last++;
  return last;
}
