import { fault } from '../faults.ts';
import { parseRepositoryName } from '../names.ts';

/** What a URL below /v2/ names (distribution-spec, "Endpoints"). */
export type Route =
  | { readonly kind: 'base' | 'catalog' }
  | { readonly kind: 'tags' | 'uploads'; readonly repository: string }
  /** `item` is a tag or digest, a digest, an upload's id: not checked yet. */
  | { readonly kind: 'manifest' | 'blob' | 'upload' | 'referrers'; readonly repository: string; readonly item: string };

const patterns: readonly { kind: Exclude<Route['kind'], 'base' | 'catalog'>; pattern: RegExp }[] = [
  { kind: 'tags', pattern: /^(.+)\/tags\/list$/ },
  { kind: 'uploads', pattern: /^(.+)\/blobs\/uploads\/?$/ },
  { kind: 'upload', pattern: /^(.+)\/blobs\/uploads\/([^/]+)$/ },
  { kind: 'blob', pattern: /^(.+)\/blobs\/([^/]+)$/ },
  { kind: 'manifest', pattern: /^(.+)\/manifests\/([^/]+)$/ },
  { kind: 'referrers', pattern: /^(.+)\/referrers\/([^/]+)$/ },
];

/** Reads a path (without query). Undefined for one that names nothing; throws NAME_INVALID. */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  if (!path.startsWith('/v2/') || path.length > 1024) return undefined;
  const rest = path.slice('/v2/'.length);
  for (const { kind, pattern } of patterns) {
    const match = pattern.exec(rest);
    if (match === null) continue;
    const repository = parseRepositoryName(decode(match[1] ?? ''));
    if (kind === 'tags' || kind === 'uploads') return { kind, repository };
    return { kind, repository, item: decode(match[2] ?? '') };
  }
  return undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault('NAME_INVALID', 'the URL has a malformed % escape');
  }
}
