import { type Digest, invalid, parseDigest } from '#base';

/**
 * A parsed image name (distribution's reference grammar with Docker's defaults).
 * `debian` is `docker.io/library/debian`; neither tag nor digest means "latest" is up to the caller.
 */
export interface Reference {
  /** Host of the registry with port if any: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** Repository inside the registry: `library/debian`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[\w][\w.-]{0,127}$/;
const domainPattern =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::\d+)?$/;

/** Reads an image name as Docker does. Throws `invalid` with Docker's texts. */
export function parseReference(text: string): Reference {
  const bad = (why = 'invalid reference format') => invalid(why);
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw bad(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  let digest: Digest | undefined;
  if (at >= 0) {
    try {
      digest = parseDigest(text.slice(at + 1));
    } catch {
      throw bad();
    }
  }
  const colon = name.lastIndexOf(':');
  const tagged = colon > name.lastIndexOf('/');
  const repository = tagged ? name.slice(0, colon) : name;
  const tag = tagged ? name.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) throw bad();

  const { domain, rest } = splitDomain(repository);
  let path = rest;
  if (!pathPattern.test(path)) {
    if (path.toLowerCase() !== path && pathPattern.test(path.toLowerCase())) {
      throw bad(`invalid reference format: repository name (${path}) must be lowercase`);
    }
    throw bad();
  }
  if (!domainPattern.test(domain)) throw bad();
  if (domain === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  if (domain.length + 1 + path.length > 255) throw bad('repository name must not be more than 255 characters');
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** A first component is a registry when it has a dot or a port, is `localhost`, or has upper-case letters. */
function splitDomain(repository: string): { domain: string; rest: string } {
  const slash = repository.indexOf('/');
  const first = slash < 0 ? '' : repository.slice(0, slash);
  const isDomain = first !== '' && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  if (!isDomain) return { domain: 'docker.io', rest: repository };
  return { domain: first === 'index.docker.io' ? 'docker.io' : first, rest: repository.slice(slash + 1) };
}

/** The repository without Docker's defaults, as users see it: `debian`, `localhost:5000/app`. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== 'docker.io') return `${reference.domain}/${reference.path}`;
  return reference.path.replace(/^library\//, '');
}

/** The whole name as users see it: `debian:bookworm-slim`, `app@sha256:...`. */
export function familiarString(reference: Reference): string {
  const { tag, digest } = reference;
  return familiarName(reference) + (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

/** The whole name with its registry, the form used as a key in stores: `docker.io/library/debian:latest`. */
export function canonicalString(reference: Reference): string {
  const { domain, path, tag, digest } = reference;
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The same reference with tag `latest` where it names neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}
