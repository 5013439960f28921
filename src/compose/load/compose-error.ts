import { type BerthError, invalid } from '#base';
import type { Path } from './tree.ts';

/** A place in a file; lines and columns count from 1. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

/** Facts of a {@link composeError} beside its message. */
export interface ComposeErrorFacts {
  /** Where in the file the fault is. */
  at?: Position | undefined;
  /** Keys that lead to the fault, such as `services`, `web`, `ports`. */
  path?: Path;
  /** What to do about it. */
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * An `invalid` error about a Compose file. The message is docker compose's own where there is one, followed by the
 * place and the hint in parentheses: `... not allowed (compose.yaml:4, did you mean "command"?)`.
 * `details` hold `file`, `line`, `column`, `path` and `hint`.
 */
export function composeError(message: string, facts: ComposeErrorFacts = {}): BerthError {
  const { at, path, hint, cause } = facts;
  const notes = [at && `${at.file}:${at.line}`, hint].filter(Boolean).join(', ');
  const details = { ...at, ...(path && { path: path.join('.') }), ...(hint && { hint }) };
  return invalid(notes ? `${message} (${notes})` : message, { cause, details });
}
