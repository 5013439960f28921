import { type Authenticator, openAuthenticator } from './access.ts';
import { BasicAuthenticator } from './basic-authenticator.ts';
import { BearerAuthenticator } from './bearer-authenticator.ts';
import { HtpasswdFile } from './htpasswd.ts';
import { PasswordChecker } from './password-checker.ts';
import { AccessPolicy, type AccessRule } from './policy.ts';
import { type KeyTexts, readTrustedKeys } from './read-trusted-keys.ts';
import { TokenService } from './token-service.ts';
import { TokenSigner, TokenVerifier } from './tokens.ts';
import { TrustedKeys } from './trusted-keys.ts';

/** Who may use the registry, and how that is found out. */
export type AuthOptions =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'htpasswd';
      readonly file: string;
      readonly rules: readonly AccessRule[];
      /** Everybody may pull; needs `tokenKey`, because Docker's clients pull without a login only with tokens. */
      readonly anonymousRead: boolean;
      /** Private key (PEM) of the registry's own token service; without it every request carries the password. */
      readonly tokenKey: string | undefined;
      /** Name of the registry in challenges and tokens. */
      readonly service: string;
    }
  | {
      readonly kind: 'token';
      /** URL of a token service elsewhere, with the issuer of its tokens and the keys that sign them. */
      readonly realm: string;
      readonly service: string;
      readonly issuer: string;
      readonly keys: KeyTexts;
    };

/** The parts of the registry that know who somebody is. */
export interface Authentication {
  readonly authenticator: Authenticator;
  /** The registry's own token service, where it has one. */
  readonly tokens: TokenService | undefined;
  close(): Promise<void>;
}

/** Makes them. Throws `invalid` for a faulty htpasswd file or keys of a token service, a plain error for a faulty `tokenKey`. */
export async function createAuthentication(options: AuthOptions): Promise<Authentication> {
  if (options.kind === 'none') {
    return { authenticator: openAuthenticator, tokens: undefined, close: async () => undefined };
  }
  if (options.kind === 'token') {
    const { realm, service, issuer, keys } = options;
    const verifier = new TokenVerifier({ issuer, service }, readTrustedKeys(keys));
    const authenticator = new BearerAuthenticator({ verifier, realm, service });
    return { authenticator, tokens: undefined, close: async () => undefined };
  }
  const { file, rules, anonymousRead, service, tokenKey } = options;
  const checker = new PasswordChecker();
  const logins = new HtpasswdFile(file, checker);
  await logins.load();
  const policy = new AccessPolicy({ rules, anonymousRead });
  const close = () => checker.close();
  if (tokenKey === undefined) {
    return { authenticator: new BasicAuthenticator({ logins, policy, realm: service }), tokens: undefined, close };
  }
  const terms = { issuer: service, service };
  const signer = new TokenSigner(tokenKey, terms);
  const verifier = new TokenVerifier(terms, new TrustedKeys([{ key: signer.publicKey }]));
  const basic = { logins, policy };
  return {
    authenticator: new BearerAuthenticator({ verifier, realm: '/auth/token', service, basic }),
    tokens: new TokenService({ signer, verifier, logins, policy, service }),
    close,
  };
}
