import { resolve } from 'node:path';
import { errnoOf, invalid, messageOf } from '#base';
import { parseDotenv } from './dotenv.ts';
import type { SourceReader } from './source-reader.ts';

/** What {@link readEnvFiles} reads with. */
export interface EnvFileOptions {
  reader: SourceReader;
  /** Values that variables inside the files resolve to first. */
  environment: ReadonlyMap<string, string>;
  onUnset(name: string): void;
}

/**
 * Reads files of variables; of a variable in several files the last wins, and later files can refer to earlier ones.
 * Throws `invalid` naming the file when one is missing, a directory or malformed.
 */
export async function readEnvFiles(files: readonly string[], options: EnvFileOptions): Promise<Map<string, string>> {
  const { reader, environment, onUnset } = options;
  const into = new Map<string, string>();
  for (const file of files) {
    let text: string;
    try {
      text = await reader.read(file);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw invalid(`couldn't find env file: ${file}`, { cause: error });
      if (errnoOf(error) === 'EISDIR') throw invalid(`${file} is a directory`, { cause: error });
      throw invalid(`failed to read ${file}: ${messageOf(error)}`, { cause: error });
    }
    parseDotenv(text, { file, into, variables: { lookup: (name) => environment.get(name), onUnset } });
  }
  return into;
}

/** True for a variable set to a word that Go reads as true. */
export function isTrue(value: string | undefined): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value ?? '');
}

/** `.env` of `directory`, unless it is missing or `COMPOSE_DISABLE_ENV_FILE` says not to read it. */
export async function defaultEnvFile(
  directory: string,
  environment: ReadonlyMap<string, string>,
  reader: SourceReader,
): Promise<string[]> {
  if (isTrue(environment.get('COMPOSE_DISABLE_ENV_FILE'))) return [];
  const file = resolve(directory, '.env');
  return (await reader.kind(file)) === 'file' ? [file] : [];
}
