import { constants, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto';

interface Algorithm {
  readonly hash: string | undefined;
  /** `asymmetricKeyType` of keys that it takes; of elliptic curves also the curve. */
  readonly keyTypes: readonly string[];
  readonly curve?: string;
  readonly settings?: Omit<VerifyKeyObjectInput, 'key'>;
}

const rsa = (hash: string): Algorithm => ({ hash, keyTypes: ['rsa'] });
const pss = (hash: string): Algorithm => ({
  hash,
  keyTypes: ['rsa', 'rsa-pss'],
  settings: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
});
const ecdsa = (hash: string, curve: string): Algorithm => ({
  hash,
  keyTypes: ['ec'],
  curve,
  settings: { dsaEncoding: 'ieee-p1363' },
});

/** RFC 7518, section 3.1, and RFC 8037; nothing with a shared secret, and never `none`. */
const algorithms = {
  RS256: rsa('sha256'),
  RS384: rsa('sha384'),
  RS512: rsa('sha512'),
  PS256: pss('sha256'),
  PS384: pss('sha384'),
  PS512: pss('sha512'),
  ES256: ecdsa('sha256', 'prime256v1'),
  ES384: ecdsa('sha384', 'secp384r1'),
  ES512: ecdsa('sha512', 'secp521r1'),
  EdDSA: { hash: undefined, keyTypes: ['ed25519', 'ed448'] },
} as const satisfies Record<string, Algorithm>;

/** A way to sign tokens. */
export type SignatureAlgorithm = keyof typeof algorithms;

/** The names of all of them. */
export const signatureAlgorithms = Object.keys(algorithms) as SignatureAlgorithm[];

/** True when `key` made the signature; false too where the key is of another kind than the algorithm asks for. */
export function verifySignature(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  signed: { readonly data: Buffer; readonly signature: Buffer },
): boolean {
  const { hash, keyTypes, curve, settings }: Algorithm = algorithms[algorithm];
  if (!keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
  if (curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== curve) return false;
  return verify(hash, signed.data, { key, ...settings }, signed.signature);
}
