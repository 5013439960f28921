import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, invalid, messageOf } from '#base';

/** What config.json keeps for one registry. */
export interface StoredAuth {
  auth?: string;
  identitytoken?: string;
  registrytoken?: string;
  username?: string;
  password?: string;
}

/** The parts of Docker's config.json that we read; everything else is kept as it is. */
export interface ConfigFile {
  auths?: Record<string, StoredAuth>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
  currentContext?: string;
  HttpHeaders?: Record<string, string>;
  detachKeys?: string;
  psFormat?: string;
  imagesFormat?: string;
  networksFormat?: string;
  volumesFormat?: string;
  statsFormat?: string;
  [other: string]: unknown;
}

/** Reads config.json of a directory; empty when there is none. Throws `invalid` when it is no JSON object. */
export function readConfigFile(directory: string): ConfigFile {
  const path = join(directory, 'config.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return {};
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ConfigFile;
    throw invalid('not a JSON object');
  } catch (error) {
    throw invalid(`${path}: ${messageOf(error)}`);
  }
}

/** Writes config.json, readable by its owner only, all or nothing. */
export async function writeConfigFile(directory: string, config: ConfigFile): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'config.json');
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(config, null, '\t')}\n`, { mode: 0o600 });
  await rename(draft, path);
}
