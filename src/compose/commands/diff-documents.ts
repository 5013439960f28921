/** One value that differs between two documents of a project. */
export interface DocumentDifference {
  /** Keys from the top, such as `services`, `web`, `image`. */
  readonly path: readonly string[];
  /** Undefined where it is only in the other. */
  readonly before: unknown;
  readonly after: unknown;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What differs between two documents, in the order of their keys; lists are compared as wholes. */
export function diffDocuments(before: unknown, after: unknown, path: readonly string[] = []): DocumentDifference[] {
  if (isMapping(before) && isMapping(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => diffDocuments(before[key], after[key], [...path, key]));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}
