import { type Digest, isDigest } from '#base';
import { fault } from './faults.ts';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
/** Any algorithm the spec's grammar allows; this registry keeps sha256 only. */
const digestShape = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[\w=-]+$/i;

/** What names a manifest inside a repository. */
export type ManifestTarget = { readonly tag: string } | { readonly digest: Digest };

/** Checks a repository name (distribution-spec, "Pulling manifests"). Throws NAME_INVALID. */
export function parseRepositoryName(text: string): string {
  if (text.length <= 255 && repositoryPattern.test(text)) return text;
  throw fault('NAME_INVALID', `invalid repository name "${text.slice(0, 300)}"`);
}

/** Checks a blob's digest. Throws DIGEST_INVALID, also for algorithms other than sha256. */
export function parseBlobDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw fault('DIGEST_INVALID', `invalid digest "${text.slice(0, 200)}": want sha256: and 64 lower-case hex digits`);
}

/** Reads the last part of a manifest URL. Throws DIGEST_INVALID or MANIFEST_INVALID. */
export function parseTarget(text: string): ManifestTarget {
  if (isDigest(text)) return { digest: text };
  if (digestShape.test(text)) return { digest: parseBlobDigest(text) };
  if (tagPattern.test(text)) return { tag: text };
  throw fault('MANIFEST_INVALID', `invalid tag "${text.slice(0, 200)}"`);
}

/** The tag or digest as it stands in a URL. */
export function targetText(target: ManifestTarget): string {
  return 'tag' in target ? target.tag : target.digest;
}
