import { fault } from '../faults.ts';
import type { Authenticator, Identity } from './access.ts';
import type { LoginChecker } from './htpasswd.ts';
import type { AccessPolicy } from './policy.ts';

/** A user name and a password. */
export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** Reads `Basic ...` (RFC 7617); undefined for another scheme. Throws UNAUTHORIZED for text that is none. */
export function readBasic(authorization: string): BasicCredentials | undefined {
  const match = /^basic\s+([\w+/=-]+)$/i.exec(authorization);
  if (match === null) return undefined;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw fault('UNAUTHORIZED', 'malformed Basic credentials');
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The refusal of a login. */
export function wrongLogin() {
  return fault('UNAUTHORIZED', 'authentication required: unknown user or wrong password');
}

/** Asks for a user name and password with every request. */
export class BasicAuthenticator implements Authenticator {
  readonly #logins: LoginChecker;
  readonly #policy: AccessPolicy;
  readonly #realm: string;

  constructor(options: { logins: LoginChecker; policy: AccessPolicy; realm: string }) {
    this.#logins = options.logins;
    this.#policy = options.policy;
    this.#realm = options.realm;
  }

  async identify(authorization: string | undefined): Promise<Identity> {
    if (authorization === undefined) return this.#identity(undefined);
    const credentials = readBasic(authorization);
    if (credentials === undefined) throw fault('UNAUTHORIZED', 'this registry takes Basic credentials only');
    if (!(await this.#logins.check(credentials.user, credentials.password))) throw wrongLogin();
    return this.#identity(credentials.user);
  }

  challenge(): string {
    return `Basic realm="${this.#realm}"`;
  }

  #identity(user: string | undefined): Identity {
    const known = user !== undefined;
    return { user, known, may: (scope) => this.#policy.may(user, scope), canImprove: !known };
  }
}
