import type { SourceReader } from './source-reader.ts';
import type { Sources } from './sources.ts';
import type { Variables } from './template.ts';

/** What stays the same while the files of one project are read. */
export interface LoadScope {
  reader: SourceReader;
  sources: Sources;
  interpolate: boolean;
  resolvePaths: boolean;
  warn(message: string): void;
}

/** What changes with an included project. */
export interface ModelScope extends LoadScope {
  /** Directory that relative paths start from: absolute, or relative to the project's directory. */
  base: string;
  /** Absolute form of `base`, where included and extended files are looked for. */
  directory: string;
  environment: ReadonlyMap<string, string>;
  /** Files that led here through `include`, the outermost first. */
  includedFrom: readonly string[];
}

/** Variables of `scope`, with a warning for each that is not set. */
export function variablesOf(scope: Pick<ModelScope, 'environment' | 'warn'>): Variables {
  return {
    lookup: (name) => scope.environment.get(name),
    onUnset: (name) => scope.warn(`The "${name}" variable is not set. Defaulting to a blank string.`),
  };
}
