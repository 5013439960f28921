import { fault } from '../faults.ts';
import { type Authenticator, type Identity, type Scope, scopeText } from './access.ts';
import { readBasic, wrongLogin } from './basic-authenticator.ts';
import type { LoginChecker } from './htpasswd.ts';
import type { AccessPolicy } from './policy.ts';
import type { TokenVerifier } from './tokens.ts';

/** What a {@link BearerAuthenticator} is made of. */
export interface BearerOptions {
  readonly verifier: TokenVerifier;
  /** Address of the token service: a URL, or a path on the registry itself. */
  readonly realm: string;
  readonly service: string;
  /** Where logins are known here, Basic credentials are taken too (curl, Prometheus). */
  readonly basic?: { readonly logins: LoginChecker; readonly policy: AccessPolicy } | undefined;
}

/** Asks for tokens of a token service (Docker's token authentication specification, RFC 6750). */
export class BearerAuthenticator implements Authenticator {
  readonly #options: BearerOptions;

  constructor(options: BearerOptions) {
    this.#options = options;
  }

  async identify(authorization: string | undefined): Promise<Identity> {
    if (authorization === undefined) return { user: undefined, known: false, may: () => false, canImprove: true };
    const match = /^bearer\s+([\w.=-]+)$/i.exec(authorization);
    if (match === null) return this.#identifyBasic(authorization);
    const { user, scopes, refresh } = this.#options.verifier.verify(match[1] ?? '');
    if (refresh !== undefined) throw fault('UNAUTHORIZED', 'a refresh token is for the token service only');
    return { user, known: true, may: (wanted) => covers(scopes, wanted), canImprove: true };
  }

  challenge(request: { origin: string; scopes: readonly Scope[]; insufficient: boolean }): string {
    const { realm, service } = this.#options;
    const url = realm.startsWith('/') ? request.origin + realm : realm;
    const scope = request.scopes.length === 0 ? '' : `,scope="${request.scopes.map(scopeText).join(' ')}"`;
    return `Bearer realm="${url}",service="${service}"${scope}${request.insufficient ? ',error="insufficient_scope"' : ''}`;
  }

  async #identifyBasic(authorization: string): Promise<Identity> {
    const { basic } = this.#options;
    const credentials = basic && readBasic(authorization);
    if (!basic || credentials === undefined) throw fault('UNAUTHORIZED', 'this registry takes bearer tokens only');
    if (!(await basic.logins.check(credentials.user, credentials.password))) throw wrongLogin();
    return {
      user: credentials.user,
      known: true,
      may: (scope) => basic.policy.may(credentials.user, scope),
      canImprove: false,
    };
  }
}

function covers(scopes: readonly Scope[], wanted: Scope): boolean {
  const given = new Set(
    scopes.filter(({ type, name }) => type === wanted.type && name === wanted.name).flatMap((scope) => scope.actions),
  );
  return wanted.actions.every((action) => given.has(action) || given.has('*'));
}
