import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { z } from 'zod';
import { invalid, messageOf, parseByteSize, parseDuration } from '#base';
import { actions } from './auth/access.ts';

/** A text that `parse` reads; what it throws is the issue. */
const readBy = (parse: (text: string) => number) =>
  z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue(messageOf(error));
      return z.NEVER;
    }
  });
const size = z.union([z.number().int().nonnegative(), readBy(parseByteSize)]);
/** Go durations in the file, ms inside. */
const duration = readBy((text) => parseDuration(text) / 1e6);
const rule = z.strictObject({
  users: z.array(z.string()).min(1),
  repository: z.string().min(1),
  actions: z.array(z.enum(actions)).min(1),
});

const fileSchema = z.strictObject({
  addr: z.string().optional(),
  data: z.string().optional(),
  externalUrl: z.url().optional(),
  tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  auth: z
    .strictObject({
      htpasswd: z.string().optional(),
      /** Give out tokens instead of asking for the password with every request. */
      tokens: z.boolean().optional(),
      anonymousRead: z.boolean().optional(),
      rules: z.array(rule).optional(),
      service: z.string().optional(),
      /** PEM file of the key that our tokens are signed with; servers behind one address need the same. */
      tokenKey: z.string().optional(),
      /** A token service elsewhere, which gives out tokens for `service`. One of the last three is needed. */
      token: z
        .strictObject({
          realm: z.url(),
          issuer: z.string(),
          /** PEM files of public keys or certificates that sign tokens. */
          keys: z.array(z.string()).optional(),
          /** PEM file of certificates that sign tokens or issue those that tokens bring along. */
          rootCertBundle: z.string().optional(),
          /** JSON Web Key Set. */
          jwks: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
  /** Where blobs are kept; default files below `data`. */
  storage: z
    .strictObject({
      s3: z.strictObject({
        endpoint: z.url(),
        bucket: z.string().min(1),
        region: z.string().default('us-east-1'),
        accessKey: z.string().min(1),
        secretKey: z.string().optional(),
        secretKeyFile: z.string().optional(),
        prefix: z.string().default(''),
        /** Bytes that a write holds in memory. The services take parts of 5 MiB or more, and 10,000 of them in a blob. */
        partSize: size.refine((bytes) => bytes >= 5 * 1024 ** 2, 'want 5MiB or more').optional(),
        /** What the service copies in one request, if less than S3's 5 GiB. */
        copyLimit: size.refine((bytes) => bytes >= 5 * 1024 ** 2, 'want 5MiB or more').optional(),
      }),
    })
    .optional(),
  /** Where everything else is kept; default SQLite below `data`. */
  records: z
    .strictObject({
      /** Such as `postgres://user:password@host/database`, or a file that holds it. */
      postgres: z.string().optional(),
      postgresFile: z.string().optional(),
    })
    .optional(),
  upstreams: z
    .array(
      z.strictObject({
        prefix: z.string().default(''),
        registry: z.string().min(1),
        username: z.string().optional(),
        password: z.string().optional(),
        passwordFile: z.string().optional(),
        freshFor: duration.optional(),
        /** What was used least recently goes above this size of all blobs. */
        maxBytes: size.optional(),
        /** What nobody used for so long goes. */
        keepFor: duration.optional(),
      }),
    )
    .optional(),
  quotas: z.array(z.strictObject({ prefix: z.string(), bytes: size })).optional(),
  readOnly: z.boolean().optional(),
  deletes: z.boolean().optional(),
  webhooks: z
    .array(z.strictObject({ name: z.string(), url: z.url(), headers: z.record(z.string(), z.string()).default({}) }))
    .optional(),
  events: z.array(z.enum(['push', 'pull', 'mount', 'delete'])).optional(),
  garbage: z
    .strictObject({
      interval: duration.optional(),
      grace: duration.optional(),
      untagged: z.boolean().optional(),
      uploadLifetime: duration.optional(),
    })
    .optional(),
  limits: z
    .strictObject({
      blob: size.optional(),
      requestRate: z.number().nonnegative().optional(),
      stallTimeout: duration.optional(),
      connections: z.number().int().positive().optional(),
    })
    .optional(),
  accessLog: z.boolean().optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).optional(),
});

/** The settings of a registry process, as its config file holds them: paths not read yet, times in ms, sizes in bytes. */
export type RegistryConfig = z.output<typeof fileSchema>;

/** Reads a config file (YAML or JSON). Throws `invalid` naming the file and the key. */
export function readConfigFile(path: string): RegistryConfig {
  let document: unknown;
  try {
    document = load(readFileSync(path, 'utf8'));
  } catch (error) {
    throw invalid(`config file ${path}: ${messageOf(error).split('\n')[0]}`);
  }
  return parseConfig(document ?? {}, `config file ${path}`);
}

/** Checks settings. Throws `invalid`, beginning with `where` and naming every setting that is wrong. */
export function parseConfig(document: unknown, where: string): RegistryConfig {
  const result = fileSchema.safeParse(document);
  if (result.success) return result.data;
  throw invalid(`${where}: ${result.error.issues.flatMap((issue) => faultsOf(issue, document)).join('; ')}`);
}

function faultsOf(issue: z.core.$ZodIssue, document: unknown): string[] {
  const place = (last: readonly PropertyKey[] = []) => [...issue.path, ...last].map(String).join('.');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `there is no setting "${place([key])}"`);
  if (issue.path.length === 0) return ['want settings by name ("addr: HOST:PORT")'];
  if (issue.code === 'invalid_type' && valueAt(document, issue.path) === undefined) return [`"${place()}" is missing`];
  // A union tells of each of its ways; the last one takes texts and knows what is wrong with this one.
  const { message } = issue.code === 'invalid_union' ? (issue.errors.at(-1)?.[0] ?? issue) : issue;
  return [`"${place()}": ${message}`];
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    document,
  );
}

/** Splits `HOST:PORT`, `:PORT` or `[IPV6]:PORT`. Throws `invalid`. */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(\[[\da-f:.]+\]|[^:]*):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) throw invalid(`invalid address "${text}": want HOST:PORT`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, '') || '0.0.0.0', port };
}

/** The text of a file that the config names. Throws `invalid`. */
export function readNamedFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`${path}: ${messageOf(error)}`);
  }
}
