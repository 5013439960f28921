/** A here-document attached to an instruction. */
export interface Heredoc {
  /** The delimiter without quotes; also the file's name for COPY and ADD. */
  readonly name: string;
  /** File descriptor in front of `<<`; 0 where none is written. */
  readonly fd: number;
  /** False when the delimiter is quoted: variables in the body stay as they are. */
  readonly expand: boolean;
  /** True for `<<-`: leading tabs of each line are dropped (already done in `content`). */
  readonly chomp: boolean;
  readonly content: string;
}

/** One instruction as text: nothing is known yet of what the keyword means. */
export interface SyntaxNode {
  /** Upper case. */
  readonly keyword: string;
  /** Words beginning with `--` right after the keyword, quotes taken off. */
  readonly flags: readonly string[];
  /** What follows the flags, trimmed. */
  readonly rest: string;
  /** The whole instruction with continuation lines joined. */
  readonly original: string;
  readonly heredocs: readonly Heredoc[];
  /** 1-based, first line of the instruction. */
  readonly line: number;
  /** 1-based, last line, heredocs included. */
  readonly endLine: number;
}

/** Parser directives at the top of the file. */
export interface Directives {
  readonly escape: '\\' | '`';
  readonly syntax?: string;
  readonly check?: string;
}

/** A Dockerfile as a list of instructions. */
export interface SyntaxTree {
  readonly directives: Directives;
  readonly nodes: readonly SyntaxNode[];
  readonly warnings: readonly { readonly message: string; readonly line: number }[];
}
