import { readFileSync } from 'node:fs';
import { errnoOf, invalid } from '#base';

type Environment = Readonly<Record<string, string | undefined>>;

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^\ufeff/, '')
      .split('\n');
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: 'no such file or directory',
      EACCES: 'permission denied',
      EISDIR: 'is a directory',
    };
    throw invalid(`open ${path}: ${reasons[errnoOf(error) ?? ''] ?? String(error)}`);
  }
}

/** Reads a file of `KEY=VALUE` lines; a key alone takes its value from `lookup`, or is left out. Throws `invalid`. */
function readKeyValues(path: string, lookup: (key: string) => string | undefined): string[] {
  const found: string[] = [];
  for (const raw of readLines(path)) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const key = equals === -1 ? line : line.slice(0, equals);
    if (/\s/.test(equals === -1 ? key.trimEnd() : key))
      throw invalid(`invalid env file (${path}): variable '${key}' contains whitespaces`);
    if (key === '') throw invalid(`invalid env file (${path}): no variable name on line '${line}'`);
    if (equals !== -1) found.push(line);
    else {
      const value = lookup(key.trimEnd());
      if (value !== undefined) found.push(`${key.trimEnd()}=${value}`);
    }
  }
  return found;
}

/** The environment of files and flags, files first; `NAME` alone takes the value of this process's environment. */
export function readEnvironment(files: readonly string[], words: readonly string[], env: Environment): string[] {
  const fromFiles = files.flatMap((path) => readKeyValues(path, (key) => env[key]));
  const fromFlags = words.map((word) => {
    if (word === '' || word.startsWith('=')) throw invalid(`invalid environment variable: ${word}`);
    if (word.includes('=')) return word;
    const value = env[word];
    return value === undefined ? word : `${word}=${value}`;
  });
  return [...fromFiles, ...fromFlags];
}

/** Labels of files and flags, files first. */
export function readLabels(files: readonly string[], words: readonly string[]): Record<string, string> {
  return keyValueMap([...files.flatMap((path) => readKeyValues(path, () => undefined)), ...words]);
}

/** `KEY=VALUE` words as a map; a key alone has an empty value. */
export function keyValueMap(words: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals === -1) map[word] = '';
    else map[word.slice(0, equals)] = word.slice(equals + 1);
  }
  return map;
}
