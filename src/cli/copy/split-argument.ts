/** One side of `cp`: a path in a container, or (container empty) of this machine. */
export interface CopyArgument {
  readonly container: string;
  readonly path: string;
}

/** Reads `CONTAINER:PATH`; what begins with `/` or `.`, and what has no colon, is of this machine. */
export function splitArgument(text: string): CopyArgument {
  const colon = text.indexOf(':');
  if (colon <= 0 || text.startsWith('/') || text.startsWith('.')) return { container: '', path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}
