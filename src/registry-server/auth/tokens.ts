import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { z } from 'zod';
import { fault } from '../faults.ts';
import type { Scope } from './access.ts';
import { type SignatureAlgorithm, signatureAlgorithms, verifySignature } from './token-signature.ts';
import type { TrustedKeys } from './trusted-keys.ts';

/** What a token says (RFC 7519 claims, and `access` of the token specification). */
const claimsSchema = z.object({
  iss: z.string(),
  /** Absent or empty for an anonymous client. */
  sub: z.string().default(''),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  nbf: z.number().optional(),
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()).nullable() })).nullish(),
  /** Refresh tokens of ours: the stamp of the user's password when it was issued. */
  refresh: z.string().optional(),
});
type Claims = z.infer<typeof claimsSchema>;

/** The header (RFC 7515, section 4.1). What `crit` names must be understood, and none of it is. */
const headerSchema = z.object({
  alg: z.enum(signatureAlgorithms as [SignatureAlgorithm, ...SignatureAlgorithm[]]),
  kid: z.string().optional(),
  x5c: z.array(z.string()).optional(),
  crit: z.never().optional(),
});

/** What a verified token gives. */
export interface TokenContent {
  /** Undefined for an anonymous client's token. */
  readonly user: string | undefined;
  readonly scopes: readonly Scope[];
  /** Set for refresh tokens. */
  readonly refresh: string | undefined;
}

/** Tokens of one issuer for one service. */
export interface TokenTerms {
  readonly issuer: string;
  readonly service: string;
}

/** How far clocks of issuer and registry may differ, seconds. */
const skew = 60;
const maxCached = 2000;

/** Verifies tokens (JWT) with the issuer's public keys. */
export class TokenVerifier {
  readonly #terms: TokenTerms;
  readonly #keys: TrustedKeys;
  /** Signatures already found good. */
  readonly #verified = new Map<string, Claims>();

  constructor(terms: TokenTerms, keys: TrustedKeys) {
    this.#terms = terms;
    this.#keys = keys;
  }

  /** Throws UNAUTHORIZED for a token that is malformed, forged, out of date, or meant for somebody else. */
  verify(token: string): TokenContent {
    const claims = this.#verified.get(token) ?? this.#check(token);
    const now = Date.now() / 1000;
    const audiences = typeof claims.aud === 'string' ? [claims.aud] : claims.aud;
    if (claims.exp + skew < now || (claims.nbf ?? 0) - skew > now) throw refused('has expired or is not valid yet');
    if (claims.iss !== this.#terms.issuer) throw refused('is of another issuer');
    if (!audiences.includes(this.#terms.service)) throw refused('is for another service');
    return {
      user: claims.sub === '' ? undefined : claims.sub,
      refresh: claims.refresh,
      scopes: (claims.access ?? []).flatMap(({ type, name, actions }): Scope[] =>
        type === 'repository' || type === 'registry' ? [{ type, name, actions: actions ?? [] }] : [],
      ),
    };
  }

  #check(token: string): Claims {
    const [head = '', body = '', signature = '', ...rest] = token.split('.');
    if (signature === '' || rest.length > 0 || token.length > 64 * 1024) throw refused('is malformed');
    const { alg, kid, x5c } = decode(head, headerSchema);
    const signed = { data: Buffer.from(`${head}.${body}`), signature: Buffer.from(signature, 'base64url') };
    const good = this.#keys.candidates({ kid, x5c }).some((key) => verifySignature(alg, key, signed));
    if (!good) throw refused('has a wrong signature');
    const claims = decode(body, claimsSchema);
    const [oldest] = this.#verified.keys();
    if (oldest !== undefined && this.#verified.size >= maxCached) this.#verified.delete(oldest);
    this.#verified.set(token, claims);
    return claims;
  }
}

function decode<T>(part: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')));
  } catch {
    throw refused('is malformed');
  }
}

function refused(why: string) {
  return fault('UNAUTHORIZED', `the bearer token ${why}; ask the token service for another`);
}

/** Signs tokens (ES256). */
export class TokenSigner {
  readonly #key: KeyObject;
  readonly #terms: TokenTerms;

  /** Throws when `pem` is no private key. */
  constructor(pem: string, terms: TokenTerms) {
    this.#key = createPrivateKey(pem);
    this.#terms = terms;
  }

  /** The key that verifies what this signs. */
  get publicKey(): KeyObject {
    return createPublicKey(this.#key);
  }

  /** A token for `lifetime` seconds. */
  sign(content: { user: string | undefined; scopes: readonly Scope[]; refresh?: string }, lifetime: number): string {
    const now = Math.floor(Date.now() / 1000);
    const claims: Claims = {
      iss: this.#terms.issuer,
      sub: content.user ?? '',
      aud: this.#terms.service,
      exp: now + lifetime,
      nbf: now,
      access: content.scopes.map(({ type, name, actions }) => ({ type, name, actions: [...actions] })),
      ...(content.refresh === undefined ? {} : { refresh: content.refresh }),
    };
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const data = `${encode({ typ: 'JWT', alg: 'ES256' })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(data), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${data}.${signature.toString('base64url')}`;
  }
}

/** A new private key for a {@link TokenSigner}, PEM. */
export function generateTokenKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}
