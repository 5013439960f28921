import { type KeyObject, X509Certificate } from 'node:crypto';

/** What a token's header says of the key that signed it (RFC 7515, section 4.1). */
export interface KeyHint {
  readonly kid?: string | undefined;
  /** DER certificates in base64: the signing key's first, each followed by that of its issuer. */
  readonly x5c?: readonly string[] | undefined;
}

/** A public key, with the name that its owner gave it, if any. */
export interface NamedKey {
  readonly key: KeyObject;
  readonly kid?: string | undefined;
}

/** Most certificates between a token's own and a root. */
const longestChain = 8;

/** The public keys that may have signed a token: known ones, and those that a known authority vouches for. */
export class TrustedKeys {
  readonly #keys: readonly NamedKey[];
  readonly #roots: readonly X509Certificate[];

  /** `roots` may issue the certificates that tokens bring along. */
  constructor(keys: readonly NamedKey[], roots: readonly X509Certificate[] = []) {
    this.#keys = keys;
    this.#roots = roots;
  }

  /** The keys to try for a token: that of its certificates, those of its `kid`, or all where nobody knows that name. */
  candidates(hint: KeyHint): KeyObject[] {
    const vouched = hint.x5c && this.#vouchedFor(hint.x5c);
    if (vouched !== undefined) return [vouched];
    const named = this.#keys.filter(({ kid }) => kid !== undefined && kid === hint.kid);
    return (named.length > 0 ? named : this.#keys).map(({ key }) => key);
  }

  /** The key of the first certificate, where the chain is valid now and ends at a root; else undefined. */
  #vouchedFor(x5c: readonly string[]): KeyObject | undefined {
    if (x5c.length > longestChain || this.#roots.length === 0) return undefined;
    try {
      const chain = x5c.map((text) => new X509Certificate(Buffer.from(text, 'base64')));
      const [leaf] = chain;
      if (leaf === undefined) return undefined;
      for (const [index, certificate] of chain.entries()) {
        if (!isInTime(certificate)) return undefined;
        if (this.#roots.some((root) => isSame(root, certificate) || (isInTime(root) && issued(root, certificate)))) {
          return leaf.publicKey;
        }
        const issuer = chain[index + 1];
        if (issuer === undefined || !issued(issuer, certificate)) return undefined;
      }
    } catch {
      // What is no certificate vouches for nothing.
    }
    return undefined;
  }
}

function isSame(one: X509Certificate, other: X509Certificate): boolean {
  return one.raw.equals(other.raw);
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isInTime({ validFrom, validTo }: X509Certificate): boolean {
  const now = Date.now();
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo);
}
