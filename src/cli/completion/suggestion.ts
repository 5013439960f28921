/** One word that may stand where something is being typed. */
export interface Suggestion {
  readonly value: string;
  /** What it is, for shells that show it. */
  readonly text?: string;
}

/** What may be typed in one place. */
export interface Suggestions {
  readonly words: readonly Suggestion[];
  /** Names of files may stand here, too. */
  readonly files: boolean;
  /** The word goes on after one of these: no space follows. */
  readonly unfinished?: boolean;
}

/** Nothing can be said. */
export const nothing: Suggestions = { words: [], files: false };
/** Names of files alone. */
export const filesOnly: Suggestions = { words: [], files: true };

/** Exactly these words. */
export function choices(...values: readonly string[]): Suggestions {
  return { words: values.map((value) => ({ value })), files: false };
}
