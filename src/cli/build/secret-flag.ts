import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf, invalid, notFound } from '#base';
import { maxSecretSize } from '#client';
import { splitCsv } from '../flags/index.ts';

/** Where the value of a secret is. */
export type SecretSource =
  /** `path` as the user wrote it, relative to the command's directory. */
  | { readonly id: string; readonly kind: 'file'; readonly path: string }
  /** A variable that is not set has an empty value. */
  | { readonly id: string; readonly kind: 'env'; readonly variable: string }
  | { readonly id: string; readonly kind: 'value'; readonly value: string };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `id=x[,src=FILE|,env=NAME][,type=file|env]`; without a source the id names a variable, or else a file. Throws
 * `invalid` with buildx's texts.
 */
export function readSecretFlag(text: string, env: Environment): SecretSource {
  const fields: Record<string, string> = {};
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    if (equals === -1) throw invalid(`invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, equals).toLowerCase();
    const value = field.slice(equals + 1);
    if (key === 'type' && value !== 'file' && value !== 'env') {
      throw invalid(`unsupported secret type ${JSON.stringify(value)}`);
    }
    if (!['type', 'id', 'source', 'src', 'env'].includes(key)) {
      throw invalid(`unexpected key '${field.slice(0, equals)}' in '${field}'`);
    }
    fields[key === 'src' ? 'source' : key] = value;
  }
  const { id = '', type, source = '', env: variable = '' } = fields;
  if (id === '') throw invalid('secret missing ID');
  const named = variable !== '' ? variable : type === 'env' ? source || id : '';
  if (named !== '') return { id, kind: 'env', variable: named };
  if (source === '' && type === undefined && env[id] !== undefined) return { id, kind: 'env', variable: id };
  return { id, kind: 'file', path: source || id };
}

/**
 * How the value of a secret is read when a build asks for it. Throws `not-found` at once for a file that is not there and
 * `invalid` for one that is too large.
 */
export async function secretReader(
  secret: SecretSource,
  options: { readonly cwd: string; readonly env: Environment },
): Promise<() => Promise<Uint8Array>> {
  if (secret.kind === 'value') return async () => Buffer.from(secret.value);
  if (secret.kind === 'env') return async () => Buffer.from(options.env[secret.variable] ?? '');
  const path = resolve(options.cwd, secret.path);
  const stats = await stat(path).catch((error: unknown) => {
    const reason = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : (errnoOf(error) ?? String(error));
    throw notFound(`failed to stat ${secret.path}: stat ${secret.path}: ${reason}`, { cause: error });
  });
  if (stats.isDirectory()) throw invalid(`secret ${secret.id}: ${secret.path} is a directory: name a file`);
  if (stats.size > maxSecretSize) throw invalid(`secret ${secret.id} too big. max size ${maxSecretSize / 1024}KiB`);
  return () => readFile(path);
}
