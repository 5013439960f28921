import { z } from 'zod';
import { digestOf, isDigest, messageOf } from '#base';
import { mediaTypes } from '#oci';
import { fault } from '../faults.ts';
import type { NewManifest, Reference } from '../records/records.ts';

/** Largest manifest, bytes (distribution-spec: "SHOULD limit ... 4 megabytes"). */
export const maxManifest = 4 * 1024 * 1024;
/** Most things that one manifest may name. */
const maxReferences = 10_000;

/** Types of manifests that name other manifests. */
export const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];
/** All types of manifests that the registry takes. */
export const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest, ...indexTypes];

const digest = z.string().refine(isDigest, 'want sha256: and 64 lower-case hex digits');
const annotations = z.record(z.string(), z.string()).nullish();
const descriptor = z.object({
  mediaType: z.string().max(255),
  digest,
  size: z.number().int().nonnegative(),
  urls: z.array(z.string()).nullish(),
});
const shared = {
  schemaVersion: z.literal(2),
  mediaType: z.string().max(255).optional(),
  artifactType: z.string().max(255).optional(),
  subject: descriptor.nullish(),
  annotations,
};
const imageManifest = z.object({ ...shared, config: descriptor, layers: z.array(descriptor).max(maxReferences) });
const indexManifest = z.object({ ...shared, manifests: z.array(descriptor).max(maxReferences) });
type Descriptor = z.infer<typeof descriptor>;

/**
 * Reads a manifest that a client pushed with the given Content-Type (parameters taken off; the document's own type where
 * absent). Throws MANIFEST_INVALID, naming the first field that is wrong.
 */
export function readManifest(bytes: Buffer, contentType: string | undefined): NewManifest {
  const document = parse(bytes);
  const own = typeof document.mediaType === 'string' ? document.mediaType : undefined;
  const mediaType = contentType ?? own ?? guessType(document);
  if (own !== undefined && own !== mediaType) {
    throw bad(`Content-Type is ${mediaType}, but the manifest's mediaType is ${own}`);
  }
  if (!manifestTypes.includes(mediaType)) {
    throw bad(
      `manifests of type ${mediaType.slice(0, 255)} are not supported; push an OCI or Docker schema 2 manifest`,
    );
  }
  const known = { mediaType, bytes, size: bytes.length, digest: digestOf(bytes) };
  if (indexTypes.includes(mediaType)) {
    const index = check(indexManifest, document);
    if ('layers' in document) throw bad('an index has no "layers"');
    return { ...known, ...described(index), artifactType: index.artifactType, references: index.manifests.map(child) };
  }
  const image = check(imageManifest, document);
  if ('manifests' in document) throw bad('an image manifest has no "manifests"');
  return {
    ...known,
    ...described(image),
    artifactType: image.artifactType ?? image.config.mediaType,
    references: [image.config, ...image.layers.filter((layer) => !isForeign(layer))].map((blob) => ({
      digest: blob.digest,
      kind: 'blob' as const,
    })),
  };
}

function parse(bytes: Buffer): Record<string, unknown> {
  if (bytes.length > maxManifest) throw bad(`manifest has ${bytes.length} bytes, at most ${maxManifest} are allowed`);
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw bad(`manifest is no JSON: ${messageOf(error)}`);
  }
  throw bad('manifest is no JSON object');
}

function check<T>(schema: z.ZodType<T>, document: unknown): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw bad(`manifest field "${issue?.path.join('.')}": ${issue?.message}`);
}

function guessType(document: Record<string, unknown>): string {
  return 'manifests' in document ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}

function described(manifest: { subject?: Descriptor | null | undefined; annotations?: z.infer<typeof annotations> }) {
  return { subject: manifest.subject?.digest, annotations: manifest.annotations ?? undefined };
}

function child(entry: Descriptor): Reference {
  return { digest: entry.digest, kind: manifestTypes.includes(entry.mediaType) ? 'manifest' : 'either' };
}

/** Layers that may stay where their `urls` point and need not be pushed. */
function isForeign(layer: Descriptor): boolean {
  return /\.foreign\.|\.nondistributable\./.test(layer.mediaType);
}

function bad(message: string) {
  return fault('MANIFEST_INVALID', message);
}
