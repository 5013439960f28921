import { invalid } from '#base';

/** A name of an image in parts. */
export interface ImageName {
  /** Host of the registry, `docker.io` where none is named. */
  readonly registry: string;
  /** As messages show it: without `docker.io/library/`. */
  readonly familiar: string;
  /** As the registry knows it, with its host. */
  readonly full: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Reads `[host[:port]/]path[:tag][@digest]`. Throws `invalid` with Docker's text. */
export function readImageName(text: string): ImageName {
  const match =
    /^((?:[^/@]+\/)*[^/@:]+(?:\.[^/@:]+)*)(?::([\w][\w.-]{0,127}))?(?:@([A-Za-z][\w.+-]*:[\da-fA-F]{32,}))?$/.exec(
      text,
    );
  if (!match) throw invalid('invalid reference format');
  const [, name = '', tag, digest] = match;
  const slash = name.indexOf('/');
  const head = slash === -1 ? '' : name.slice(0, slash);
  const hosted = head !== '' && (/[.:]/.test(head) || head === 'localhost' || head !== head.toLowerCase());
  const registry = hosted && head !== 'index.docker.io' ? head : 'docker.io';
  const path = hosted ? name.slice(slash + 1) : name;
  if (path !== path.toLowerCase())
    throw invalid(
      `invalid reference format: repository name (${!hosted && !path.includes('/') ? 'library/' : ''}${path}) must be lowercase`,
    );
  if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(path)) {
    throw invalid('invalid reference format');
  }
  const official = registry === 'docker.io' && !path.includes('/');
  return {
    registry,
    familiar: registry === 'docker.io' ? path.replace(/^library\//, '') : `${registry}/${path}`,
    full: `${registry}/${official ? 'library/' : ''}${path}`,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The tag or digest to ask for, `latest` where none is named. */
export function wantedTag(name: ImageName): string {
  return name.digest ?? name.tag ?? 'latest';
}

/** How messages name an image: familiar, with tag or digest, `latest` added. */
export function familiarName(name: ImageName): string {
  const tag = name.tag === undefined && name.digest === undefined ? 'latest' : name.tag;
  return `${name.familiar}${tag === undefined ? '' : `:${tag}`}${name.digest === undefined ? '' : `@${name.digest}`}`;
}
