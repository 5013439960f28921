import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, notFound } from '#base';
import type { TlsOptions } from '#client';

/** A named place to find a daemon. */
export interface Context {
  readonly name: string;
  readonly description: string;
  readonly host: string;
  readonly skipTlsVerify: boolean;
  readonly tls?: TlsOptions;
  readonly metadataPath: string;
  readonly tlsPath: string;
}

interface StoredContext {
  readonly Name: string;
  readonly Metadata?: { readonly Description?: string };
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

function load(directory: string, folder: string): Context | undefined {
  const metadataPath = join(directory, 'contexts', 'meta', folder);
  let text: string;
  try {
    text = readFileSync(join(metadataPath, 'meta.json'), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const stored = JSON.parse(text) as StoredContext;
  const tlsPath = join(directory, 'contexts', 'tls', folder);
  const docker = stored.Endpoints?.docker;
  const files: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = join(tlsPath, 'docker', `${name}.pem`);
    if (existsSync(path)) files[name] = readFileSync(path);
  }
  const skip = docker?.SkipTLSVerify ?? false;
  return {
    name: stored.Name,
    description: stored.Metadata?.Description ?? '',
    host: docker?.Host ?? '',
    skipTlsVerify: skip,
    metadataPath,
    tlsPath,
    ...(Object.keys(files).length > 0 || skip ? { tls: { ...files, verify: !skip } } : {}),
  };
}

/** The context of a name. Throws `not-found` with Docker's text. */
export function readContext(directory: string, name: string): Context {
  const context = load(directory, createHash('sha256').update(name).digest('hex'));
  if (context === undefined) {
    throw notFound(`context ${JSON.stringify(name)}: context not found; berth context ls names those there are`);
  }
  return context;
}

/** All contexts kept in a config directory, by name; the built-in `default` is not among them. */
export function listContexts(directory: string): Context[] {
  let folders: string[];
  try {
    folders = readdirSync(join(directory, 'contexts', 'meta'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  return folders.flatMap((folder) => load(directory, folder) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}
