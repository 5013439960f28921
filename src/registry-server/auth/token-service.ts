import { fault } from '../faults.ts';
import { parseScope, type Scope } from './access.ts';
import { readBasic, wrongLogin } from './basic-authenticator.ts';
import type { LoginChecker } from './htpasswd.ts';
import type { AccessPolicy } from './policy.ts';
import type { TokenSigner, TokenVerifier } from './tokens.ts';

/** A client's wish for a token. */
export interface TokenRequest {
  readonly service: string | undefined;
  /** `scope` parameters, each of one or more scopes. */
  readonly scopes: readonly string[];
  /** Wants a refresh token too. */
  readonly offline: boolean;
  readonly authorization?: string | undefined;
  /** Parameters of the OAuth2 form (POST). */
  readonly grant?:
    | { readonly type: 'password'; readonly user: string; readonly password: string }
    | { readonly type: 'refresh_token'; readonly token: string }
    | undefined;
}

/** The answer, in the words of the token specification. */
export interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly issued_at: string;
  readonly scope?: string;
  readonly refresh_token?: string;
}

/** Life of a token, seconds: long enough for one layer's upload to begin, short enough to forget revocation. */
const lifetime = 300;
const refreshLifetime = 30 * 24 * 3600;
const maxScopes = 100;

/** What a {@link TokenService} is made of. */
export interface TokenServiceOptions {
  readonly signer: TokenSigner;
  readonly verifier: TokenVerifier;
  readonly logins: LoginChecker;
  readonly policy: AccessPolicy;
  readonly service: string;
}

/** Gives out tokens with as much of the wanted scopes as the user may have. */
export class TokenService {
  readonly #options: TokenServiceOptions;

  constructor(options: TokenServiceOptions) {
    this.#options = options;
  }

  /** Throws UNAUTHORIZED for wrong credentials, DENIED for another service. Nobody's token has nobody's rights. */
  async issue(request: TokenRequest): Promise<TokenAnswer> {
    const { service, policy, signer, logins } = this.#options;
    if (request.service !== undefined && request.service !== service) {
      throw fault('DENIED', `this token service serves "${service}", not "${request.service.slice(0, 200)}"`);
    }
    const user = await this.#authenticate(request);
    const wanted = request.scopes.flatMap((text) => text.split(' ')).flatMap((text) => parseScope(text) ?? []);
    if (wanted.length > maxScopes) throw fault('DENIED', `at most ${maxScopes} scopes in one token`);
    const scopes: Scope[] = wanted.map((scope) => ({ ...scope, actions: policy.allowed(user, scope) }));
    const token = signer.sign({ user, scopes }, lifetime);
    const stamp = user !== undefined && request.offline ? await logins.stamp(user) : undefined;
    return {
      token,
      access_token: token,
      expires_in: lifetime,
      issued_at: new Date().toISOString(),
      ...(stamp === undefined
        ? {}
        : { refresh_token: signer.sign({ user, scopes: [], refresh: stamp }, refreshLifetime) }),
    };
  }

  async #authenticate(request: TokenRequest): Promise<string | undefined> {
    const { logins, verifier } = this.#options;
    const { grant, authorization } = request;
    if (grant?.type === 'refresh_token') {
      const { user, refresh } = verifier.verify(grant.token);
      // A changed password ends the refresh tokens given for the old one.
      if (user === undefined || refresh === undefined || (await logins.stamp(user)) !== refresh) throw wrongLogin();
      return user;
    }
    const credentials = grant ?? (authorization === undefined ? undefined : readBasic(authorization));
    if (credentials === undefined) {
      if (authorization !== undefined) throw fault('UNAUTHORIZED', 'the token service takes Basic credentials');
      return undefined;
    }
    if (!(await logins.check(credentials.user, credentials.password))) throw wrongLogin();
    return credentials.user;
  }
}
