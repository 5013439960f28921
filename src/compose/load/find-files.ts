import { dirname, join, resolve } from 'node:path';
import type { SourceReader } from './source-reader.ts';

const names = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const overrideNames = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

async function present(directory: string, candidates: readonly string[], reader: SourceReader): Promise<string[]> {
  const paths = candidates.map((name) => join(directory, name));
  const kinds = await Promise.all(paths.map((path) => reader.kind(path)));
  return paths.filter((_, index) => kinds[index] === 'file');
}

/**
 * Looks for a Compose file by its usual names in `directory`, then in its parents. Returns it and the override file
 * beside it, if any; an empty list when there is none. `warn` hears of several candidates.
 */
export async function findComposeFiles(
  directory: string,
  reader: SourceReader,
  warn: (message: string) => void,
): Promise<string[]> {
  for (let at = resolve(directory); ; at = dirname(at)) {
    const [main, ...others] = await present(at, names, reader);
    if (main !== undefined) {
      if (others.length > 0) {
        warn(`Found multiple config files with supported names: ${[main, ...others].join(', ')}`);
        warn(`Using ${main}`);
      }
      const [override, ...rest] = await present(at, overrideNames, reader);
      if (override === undefined) return [main];
      if (rest.length > 0) {
        warn(`Found multiple override files with supported names: ${[override, ...rest].join(', ')}`);
        warn(`Using ${override}`);
      }
      return [main, override];
    }
    if (dirname(at) === at) return [];
  }
}
