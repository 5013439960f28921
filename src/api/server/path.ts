/** A request URL without its version prefix. */
export interface VersionedUrl {
  /** `1.44`; undefined where there was no prefix. */
  readonly version: string | undefined;
  /** Path and query. */
  readonly url: string;
}

/** Splits `/v1.44/info?x` into version and `/info?x`. */
export function splitVersion(url: string): VersionedUrl {
  const match = /^\/v(\d+\.\d+)(\/.*)$/.exec(url);
  return match?.[2] === undefined ? { version: undefined, url } : { version: match[1], url: match[2] };
}

const nouns = /^\/(images|distribution|plugins)\/(.+)$/;
const verbs: Readonly<Record<string, RegExp>> = {
  GET: /^(.+)\/(json|history|get|attestations)$/,
  POST: /^(.+)\/(push|tag|enable|disable|upgrade|set)$/,
};

/**
 * Image names contain slashes, which a route parameter cannot: writes those of `/images/NAME/json` and its like as
 * `%2F`, so that one parameter takes the whole name.
 */
export function escapeNames(method: string, url: string): string {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const query = at < 0 ? '' : url.slice(at);
  const [, noun, rest] = nouns.exec(path) ?? [];
  if (noun === undefined || rest === undefined) return url;
  if (method === 'DELETE') return `/${noun}/${rest.replaceAll('/', '%2F')}${query}`;
  const [, name, verb] = verbs[method]?.exec(rest) ?? [];
  if (name === undefined || verb === undefined) return url;
  return `/${noun}/${name.replaceAll('/', '%2F')}/${verb}${query}`;
}
