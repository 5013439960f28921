import { invalid } from '#base';
import type { Metadata } from './grpc.ts';

const own = /^(:|grpc-|te$|content-type$|user-agent$|connection$|host$)/;

/**
 * Metadata as HTTP/2 headers. Values are sent as UTF-8; those of keys that end in `-bin` hold bytes (one character
 * each, latin1) and are sent as base64. Throws `invalid` for a key or value that no header can carry.
 */
export function metadataHeaders(metadata: Metadata): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const [key, values] of Object.entries(metadata)) {
    if (!/^[a-z0-9_.-]+$/.test(key) || own.test(key)) throw invalid(`${key} cannot be the name of metadata`);
    headers[key] = values.map((value) => headerValue(key, value));
  }
  return headers;
}

function headerValue(key: string, value: string): string {
  if (key.endsWith('-bin')) return Buffer.from(value, 'latin1').toString('base64').replace(/=+$/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what headers must not hold.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw invalid(`metadata ${key} holds control characters`);
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** Reads metadata out of header pairs as they came (name, value, name, value, ...): repeated ones stay apart. */
export function readMetadata(pairs: readonly string[]): Metadata {
  const metadata = new Map<string, string[]>();
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const [key = '', value = ''] = [pairs[index], pairs[index + 1]];
    if (own.test(key)) continue;
    const values = key.endsWith('-bin')
      ? value.split(',').map((part) => Buffer.from(part.trim(), 'base64').toString('latin1'))
      : [Buffer.from(value, 'latin1').toString('utf8')];
    metadata.set(key, [...(metadata.get(key) ?? []), ...values]);
  }
  return Object.fromEntries(metadata);
}

const units: Readonly<Record<string, number>> = { n: 1e-6, u: 1e-3, m: 1, S: 1e3, M: 6e4, H: 3.6e6 };

/** A `grpc-timeout` header in ms; undefined where there is none or it cannot be read. */
export function readTimeout(header: unknown): number | undefined {
  const match = typeof header === 'string' ? /^(\d{1,8})([HMSmun])$/.exec(header) : null;
  const unit = units[match?.[2] ?? ''];
  return match?.[1] === undefined || unit === undefined ? undefined : Number(match[1]) * unit;
}
