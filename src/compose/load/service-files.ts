import { resolve } from 'node:path';
import { errnoOf, invalid, messageOf } from '#base';
import type { Service } from '../model/service.ts';
import type { Environment } from '../model/service-parts.ts';
import { parseDotenv, parseRawEnv } from './dotenv.ts';
import { sortedRecord } from './shape.ts';
import type { SourceReader } from './source-reader.ts';
import type { Sources } from './sources.ts';
import type { Variables } from './template.ts';

/** What the files of a service are read with. */
export interface ServiceFilesContext {
  /** Absolute; relative paths, which are left where paths are not resolved, start here. */
  workingDir: string;
  reader: SourceReader;
  sources: Sources;
  /** Variables of the project. */
  environment: ReadonlyMap<string, string>;
  onUnset(name: string): void;
}

async function readOptional(path: string, { workingDir, reader }: ServiceFilesContext): Promise<string | undefined> {
  if (path === '') return undefined;
  try {
    return await reader.read(resolve(workingDir, path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) === 'EISDIR') throw invalid(`failed to read ${path}: read ${path}: is a directory`);
    throw invalid(`failed to read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Makes `environment` of what `env_file` and `environment` say together, and drops `env_file`. `environment` wins; of
 * several files the last. Throws `invalid` for a missing file that is required.
 */
export async function resolveEnvFiles(service: Service, context: ServiceFilesContext): Promise<void> {
  const files = service.env_file ?? [];
  const own: Environment = service.environment ?? {};
  const variables: Variables = {
    lookup: (name) =>
      context.environment.get(name) ?? (Object.hasOwn(own, name) ? (own[name] ?? undefined) : undefined),
    onUnset: context.onUnset,
  };
  const into = new Map<string, string>();
  for (const [index, { path, required, format }] of files.entries()) {
    const at = ['services', service.name, 'env_file', String(index)];
    const text = await readOptional(path, context);
    if (text === undefined) {
      if (required === false) continue;
      const message = `env file ${path} not found: stat ${path}: no such file or directory`;
      throw context.sources.error(message, at);
    }
    if (format === 'raw') parseRawEnv(text, { file: path, variables, into });
    else if (format === undefined) parseDotenv(text, { file: path, variables, into });
    else throw context.sources.error(`unsupported env_file format ${JSON.stringify(format)}`, at);
  }
  delete service.env_file;
  const merged = new Map<string, string | null>([...into, ...Object.entries(own)]);
  if (merged.size > 0) service.environment = sortedRecord(merged);
}

/** Adds the labels of `label_file`, which those of `labels` override, and drops it. Throws `invalid` for a missing file. */
export async function resolveLabelFiles(service: Service, context: ServiceFilesContext): Promise<void> {
  if (!service.label_file) return;
  const into = new Map<string, string>();
  // Labels refer to each other only, not to the variables of the project.
  const variables = { lookup: () => undefined, onUnset: context.onUnset };
  for (const [index, path] of service.label_file.entries()) {
    const text = await readOptional(path, context);
    if (text === undefined) {
      const message = `label file ${path} not found: stat ${path}: no such file or directory`;
      throw context.sources.error(message, ['services', service.name, 'label_file', String(index)]);
    }
    parseDotenv(text, { file: path, variables, into });
  }
  delete service.label_file;
  const merged = new Map([...into, ...Object.entries(service.labels ?? {})]);
  if (merged.size > 0) service.labels = sortedRecord(merged);
}
