import { BerthError, invalid, isBerthError, messageOf, unauthorized } from '#base';
import type { Challenge } from './challenge.ts';
import { isLoopback } from './host-rules.ts';
import type { Cancelable, RegistryLogin } from './registry.ts';
import { faultText, fieldOf, kindOf, readBody, readFault } from './registry-errors.ts';
import type { Transport } from './transport.ts';

const tokenLimit = 1024 * 1024;
/** Seconds that a token is good for when the server does not say (distribution, token specification). */
const defaultLifetime = 60;

interface Token {
  readonly value: string;
  readonly refresh: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** Makes Authorization headers for one registry and login; fetches bearer tokens and keeps them while they are good. */
export class Authorizer {
  readonly #transport: Transport;
  readonly #login: RegistryLogin;
  readonly #trust: { insecure: boolean };
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(transport: Transport, login: RegistryLogin, trust: { insecure: boolean }) {
    this.#transport = transport;
    this.#login = login;
    this.#trust = trust;
  }

  /**
   * The header for requests of `scopes` (`repository:NAME:pull`), undefined when none is needed. Throws `unauthorized`,
   * also when the registry wants a login and there is none.
   */
  async header(challenge: Challenge, scopes: readonly string[], options: Cancelable = {}): Promise<string | undefined> {
    if (this.#login.registryToken) return `Bearer ${this.#login.registryToken}`;
    if (challenge.scheme === 'none') return undefined;
    if (challenge.scheme === 'basic') {
      if (!this.#login.username) {
        throw unauthorized('no basic auth credentials', { details: { offered: false } });
      }
      return this.#basic();
    }
    return `Bearer ${(await this.#token(challenge, scopes, options)).value}`;
  }

  /** Fetches a token that can be renewed, for `docker login`. */
  async refreshToken(
    challenge: Challenge & { scheme: 'bearer' },
    options: Cancelable = {},
  ): Promise<string | undefined> {
    return (await this.#fetch(challenge, [], { ...options, offline: true })).refresh;
  }

  /** Drops the tokens: the registry did not take one. */
  forget(): void {
    this.#tokens.clear();
  }

  #basic(): string {
    return `Basic ${Buffer.from(`${this.#login.username}:${this.#login.password ?? ''}`).toString('base64')}`;
  }

  async #token(
    challenge: Challenge & { scheme: 'bearer' },
    scopes: readonly string[],
    options: Cancelable,
  ): Promise<Token> {
    const key = [...scopes].sort().join(' ');
    const known = await this.#tokens.get(key)?.catch(() => undefined);
    if (known !== undefined && known.expires > Date.now()) return known;
    const fetched = this.#fetch(challenge, scopes, options);
    this.#tokens.set(key, fetched);
    return fetched;
  }

  async #fetch(
    challenge: Challenge & { scheme: 'bearer' },
    scopes: readonly string[],
    options: Cancelable & { offline?: boolean },
  ): Promise<Token> {
    const realm = this.#realmOf(challenge.realm);
    const { identityToken, username } = this.#login;
    const parameters = new URLSearchParams();
    if (challenge.service !== undefined) parameters.set('service', challenge.service);
    const response = identityToken
      ? await this.#transport.send(
          {
            method: 'POST',
            url: realm,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: Buffer.from(refreshForm(parameters, scopes, identityToken)),
            signal: options.signal,
          },
          this.#trust,
        )
      : await this.#transport.send(
          {
            method: 'GET',
            url: withQuery(realm, parameters, scopes, { username, offline: options.offline ?? false }),
            headers: username ? { authorization: this.#basic() } : {},
            signal: options.signal,
          },
          this.#trust,
        );
    if (response.status !== 200) {
      const fault = await readFault(response);
      const kind = fault.status === 400 ? 'unauthorized' : kindOf(fault.status);
      throw new BerthError(kind, `Get "${realm.origin}${realm.pathname}": ${faultText(fault)}`, {
        details: { status: fault.status, code: fault.code },
      });
    }
    return readToken(await readBody(response, tokenLimit, 'token'), realm);
  }

  /** A realm is the registry's word; a login is not sent over the open network to wherever it points. */
  #realmOf(realm: string): URL {
    if (!URL.canParse(realm)) throw invalid(`the registry names the token server "${realm}", which is no URL`);
    const url = new URL(realm);
    const hasSecret = Boolean(this.#login.username || this.#login.identityToken);
    const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && (!hasSecret || this.#trust.insecure));
    if (!isSafe && !isLoopback(url.host)) {
      throw invalid(`the registry names the token server "${url.origin}": a login is not sent there without TLS`);
    }
    return url;
  }
}

function refreshForm(parameters: URLSearchParams, scopes: readonly string[], token: string): string {
  parameters.set('grant_type', 'refresh_token');
  parameters.set('refresh_token', token);
  parameters.set('client_id', 'docker');
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '));
  return parameters.toString();
}

function withQuery(
  realm: URL,
  parameters: URLSearchParams,
  scopes: readonly string[],
  login: { username: string | undefined; offline: boolean },
): URL {
  const url = new URL(realm);
  for (const [key, value] of parameters) url.searchParams.set(key, value);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (login.username) url.searchParams.set('account', login.username);
  if (login.offline) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', 'docker');
  }
  return url;
}

function readToken(body: Buffer, realm: URL): Token {
  try {
    const document: unknown = JSON.parse(body.toString('utf8'));
    const value = fieldOf(document, 'token') ?? fieldOf(document, 'access_token');
    if (typeof value !== 'string' || value === '' || /[^\x21-\x7e]/.test(value)) throw new Error('no token in it');
    const refresh = fieldOf(document, 'refresh_token');
    const lifetime = Number(fieldOf(document, 'expires_in') ?? defaultLifetime);
    const seconds = lifetime > 0 ? lifetime : defaultLifetime;
    // A tenth less than promised, so that a token does not run out on its way.
    const expires = Date.now() + seconds * 900;
    return { value, refresh: typeof refresh === 'string' ? refresh : undefined, expires };
  } catch (error) {
    if (isBerthError(error)) throw error;
    throw invalid(`the token server ${realm.host} gave an answer that is no token: ${messageOf(error)}`);
  }
}
