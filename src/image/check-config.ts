import { invalid, isDigest, messageOf } from '#base';
import { type Descriptor, type ImageConfig, type Index, type Manifest, mediaTypes } from '#oci';

/** What one mount call can carry. */
const maxLayers = 127;

/**
 * Reads an image config. Fields of `config` that are `null`, as Go writes what is empty, are left out. Throws `invalid`
 * when it is not one.
 */
export function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  const value = parseObject(bytes, what);
  const { rootfs } = value;
  const diffIds = isObject(rootfs) ? rootfs.diff_ids : undefined;
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === 'string' && isDigest(id))) {
    throw invalid(`${what} is not an image config: it has no rootfs.diff_ids`);
  }
  for (const name of ['architecture', 'os'] as const) {
    if (value[name] !== undefined && typeof value[name] !== 'string') throw invalid(`${what}: ${name} is not text`);
  }
  if (value.config != null && !isObject(value.config)) throw invalid(`${what}: config is not an object`);
  if (value.history != null && !Array.isArray(value.history)) throw invalid(`${what}: history is not a list`);
  if (isObject(value.config)) {
    value.config = Object.fromEntries(Object.entries(value.config).filter(([, field]) => field !== null));
  }
  return value as unknown as ImageConfig;
}

/** Throws `invalid` unless the config describes `layers` layers, no more than can be mounted. */
export function checkConfig(config: ImageConfig, layers: number): void {
  const wanted = config.rootfs.diff_ids.length;
  if (wanted !== layers) throw invalid(`invalid manifest, layers length mismatch: expected ${wanted}, got ${layers}`);
  if (layers > maxLayers) throw invalid(`the image has ${layers} layers, at most ${maxLayers} can be mounted`);
}

/** Reads a manifest or an index. Throws `invalid` when it is neither. */
export function parseManifestOrIndex(bytes: Uint8Array, what: string): Manifest | Index {
  const value = parseObject(bytes, what);
  if (value.schemaVersion !== 2) throw invalid(`${what}: only manifests of schema version 2 are supported`);
  if (Array.isArray(value.manifests)) {
    if (!value.manifests.every(isDescriptor)) throw invalid(`${what}: bad descriptor in the index`);
    return value as unknown as Index;
  }
  if (!isDescriptor(value.config) || !Array.isArray(value.layers) || !value.layers.every(isDescriptor)) {
    throw invalid(`${what} is neither a manifest nor an index`);
  }
  return value as unknown as Manifest;
}

/** Tells an index from a manifest. */
export function isIndex(document: Manifest | Index): document is Index {
  return 'manifests' in document;
}

/** True for layers that may not be distributed: they are skipped. */
export function isForeign(layer: Pick<Descriptor, 'mediaType'>): boolean {
  return layer.mediaType === mediaTypes.dockerForeignLayerGzip || layer.mediaType.includes('nondistributable');
}

/** JSON of an object. Throws `invalid`. */
function parseObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  const value = parseJson(bytes, what);
  if (!isObject(value)) throw invalid(`${what} is not a JSON object`);
  return value;
}

/** JSON of any kind. Throws `invalid`. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw invalid(`${what} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDescriptor(value: unknown): value is Descriptor {
  return (
    isObject(value) &&
    typeof value.mediaType === 'string' &&
    typeof value.digest === 'string' &&
    isDigest(value.digest) &&
    Number.isSafeInteger(value.size) &&
    Number(value.size) >= 0
  );
}
