import type { FileObject, Network, Project, Volume } from './project.ts';
import type { Service } from './service.ts';
import { serviceKeys } from './service-keys.ts';
import type { EnvFile } from './service-parts.ts';
import { WholeFloat } from './whole-float.ts';

/** A document of plain data, ready for JSON. */
export type Document = { [key: string]: unknown };

/** `value` without the `x-` keys, at any depth: docker compose's JSON has only those of the top level. */
function withoutExtensions(value: unknown, isRecord = false): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutExtensions(entry));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Document = {};
  for (const [key, entry] of Object.entries(value)) {
    if (!isRecord && key.startsWith('x-')) continue;
    const inner = withoutExtensions(entry, !isRecord && records.has(key));
    Object.defineProperty(copy, key, { value: inner, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/** Keys whose objects are records: their own keys are names, which may begin with `x-`. */
const records = new Set(
  [
    'annotations args labels additional_contexts ulimits environment depends_on driver_opts options log_opt models',
    'networks storage_opt sysctls aux_addresses',
  ].flatMap((line) => line.split(' ')),
);

/** True for a key whose object's own keys are names and not Compose's words. */
export function hasRecordKeys(key: string): boolean {
  return records.has(key);
}

/** An `env_file` entry as docker compose writes it: its path alone, unless the file may be missing. */
function envFileDocument({ path, required, format }: EnvFile): unknown {
  return required === false ? { path, required, format: format || undefined } : path;
}

/** The document of a service: its keys in docker compose's order. */
export function serviceDocument(service: Partial<Service>): Document {
  const entries = new Map<string, unknown>(Object.entries(service));
  const document: Document = {};
  for (const key of serviceKeys) {
    if (key === 'env_file' && service.env_file) document[key] = service.env_file.map(envFileDocument);
    else if (entries.get(key) !== undefined) document[key] = withoutExtensions(entries.get(key), records.has(key));
    else if (key === 'command' || key === 'entrypoint') document[key] = null;
  }
  return document;
}

/** The document of a network. */
export function networkDocument(network: Network): Document {
  return withoutExtensions(network) as Document;
}

/** The document of a volume. */
export function volumeDocument(volume: Volume): Document {
  return withoutExtensions(volume) as Document;
}

/** The document of a secret or config. Values that come from variables, and all of secrets, are never shown. */
function fileObjectDocument(object: FileObject, isSecret: boolean): Document {
  const document = withoutExtensions(object) as Document;
  if (isSecret || object.environment) delete document.content;
  return document;
}

function each<T>(objects: Record<string, T>, document: (object: T) => unknown): Document | undefined {
  const entries = Object.entries(objects).map(([key, object]) => [key, document(object)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Empty lists of extensions are null in docker compose's JSON. */
function extensionValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(extensionValue);
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, extensionValue(entry)]));
}

/** What `config --format json` prints, before `$` is doubled. Models are not part of it, as in docker compose. */
export function configDocument(project: Project): Document {
  const document: Document = {
    name: project.name,
    services: each(project.services, serviceDocument) ?? {},
    networks: each(project.networks, networkDocument),
    volumes: each(project.volumes, volumeDocument),
    secrets: each(project.secrets, (secret) => fileObjectDocument(secret, true)),
    configs: each(project.configs, (config) => fileObjectDocument(config, false)),
    ...Object.fromEntries(Object.entries(project.extensions).map(([key, value]) => [key, extensionValue(value)])),
  };
  const entries = Object.entries(document).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
