import { createPublicKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { invalid, messageOf } from '#base';
import { type NamedKey, TrustedKeys } from './trusted-keys.ts';

/** The texts of files that hold the keys of a token service. */
export interface KeyTexts {
  /** PEM public keys and certificates, several to a text if wanted; their keys sign tokens. */
  readonly keys: readonly string[];
  /** PEM certificates whose keys sign tokens, or issue the certificates that tokens bring along (`x5c`). */
  readonly rootCertBundle?: string | undefined;
  /** A JSON Web Key Set (RFC 7517) of keys that sign tokens. */
  readonly jwks?: string | undefined;
}

const block = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g;
const keySet = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().optional(), use: z.string().optional() })),
});

/** Reads the keys of a token service. Throws `invalid` for a text without keys, and where there are none at all. */
export function readTrustedKeys(texts: KeyTexts): TrustedKeys {
  const roots = texts.rootCertBundle === undefined ? [] : readBundle(texts.rootCertBundle);
  const keys = [
    ...texts.keys.flatMap(readPublicKeys),
    ...roots.map(({ publicKey }) => ({ key: publicKey })),
    ...(texts.jwks === undefined ? [] : readKeySet(texts.jwks)),
  ];
  if (keys.length === 0) throw invalid('auth.token needs keys, rootCertBundle or jwks');
  return new TrustedKeys(keys, roots);
}

function readPublicKeys(text: string): NamedKey[] {
  const keys = blocks(text).map((pem) => ({ key: readAs('auth.token.keys', () => createPublicKey(pem)) }));
  if (keys.length === 0) throw invalid('auth.token.keys: a file holds no PEM public key or certificate');
  return keys;
}

function readBundle(text: string): X509Certificate[] {
  const roots = blocks(text).map((pem) => readAs('auth.token.rootCertBundle', () => new X509Certificate(pem)));
  if (roots.length === 0) throw invalid('auth.token.rootCertBundle: the file holds no PEM certificate');
  return roots;
}

function readKeySet(text: string): NamedKey[] {
  const { keys } = readAs('auth.token.jwks', () => keySet.parse(JSON.parse(text)));
  const signing = keys.filter(({ kty, use }) => kty !== 'oct' && use !== 'enc');
  if (signing.length === 0) throw invalid('auth.token.jwks: the set holds no public key that signs');
  return signing.map((jwk) => ({
    kid: jwk.kid,
    key: readAs('auth.token.jwks', () => createPublicKey({ key: jwk, format: 'jwk' })),
  }));
}

function blocks(text: string): string[] {
  return [...text.matchAll(block)].map(([pem]) => pem);
}

function readAs<T>(setting: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw invalid(`${setting}: ${messageOf(error)}`);
  }
}
