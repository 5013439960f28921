/** How a registry wants to be authorized (RFC 9110, WWW-Authenticate; distribution's token authentication). */
export type Challenge =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined };

const parameter = /([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi;

/** Reads the headers of a 401 answer. Bearer is preferred; anything else than Bearer and Basic counts as none. */
export function parseChallenge(headers: readonly string[]): Challenge {
  let result: Challenge = { scheme: 'none' };
  for (const header of headers) {
    const [scheme = ''] = header.trim().split(/\s+/, 1);
    if (scheme.toLowerCase() === 'basic' && result.scheme === 'none') result = { scheme: 'basic' };
    if (scheme.toLowerCase() !== 'bearer') continue;
    const values = new Map<string, string>();
    for (const [, key = '', quoted, plain] of header.matchAll(parameter)) {
      values.set(key.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
    }
    const realm = values.get('realm');
    if (realm !== undefined) result = { scheme: 'bearer', realm, service: values.get('service') };
  }
  return result;
}
