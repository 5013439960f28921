import type { BerthError } from '#base';
import type { SyntaxNode } from '../parser/syntax-tree.ts';
import type { FlagType, FlagValues } from './read-flags.ts';

/** What the parser of one instruction works with. */
export interface InstructionInput {
  readonly node: SyntaxNode;
  /** The file's escape character. */
  readonly escapeChar: string;
  /** Makes `dockerfile parse error on line N: TEXT`. */
  readonly fail: (text: string) => BerthError;
  /** Makes `failed to parse Dockerfile: TEXT`. */
  readonly failSyntax: (text: string) => BerthError;
  readonly flags: (table: Readonly<Record<string, FlagType>>) => FlagValues;
}
