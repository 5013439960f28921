import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Command, noArgs } from '../command/index.ts';
import { type FlagValues, flagTable } from '../flags/index.ts';

const flags = flagTable(`
      --access-log         Write a JSON line per request to stdout
      --addr string        Address to listen on (default "127.0.0.1:5000")
      --anonymous-read     Let everybody pull; logins of --htpasswd may push
      --config string      YAML or JSON file with these and further settings
      --data string        Directory of blobs and database (default "/var/lib/berth-registry")
      --htpasswd string    File of users (bcrypt or argon2 hashes) that may pull and push
      --log-level string   "debug", "info", "warn" or "error" (default "info")
      --read-only          Refuse pushes and deletes
      --tls-cert string    Certificate (PEM) to serve HTTPS with
      --tls-key string     Private key (PEM) of the certificate
      --upstream string    Be a pull-through cache of that registry
`);

const notes = `Settings of the config file, which flags override (sizes like 10GiB, times like 90s):
  addr, data, readOnly, accessLog, logLevel   as the flags of these names
  tls: {cert, key}                            as --tls-cert and --tls-key
  auth: {htpasswd, anonymousRead, tokens, tokenKey, service, rules, token}
                                              who may do what; rules are [{users, repository,
                                              actions}], token: {realm, service, issuer, and
                                              keys, jwks or rootCertBundle} is a service elsewhere
  externalUrl                                 how clients reach it through a proxy
  upstreams: [{prefix, registry, username, password, passwordFile, freshFor, maxBytes, keepFor}]
                                              registries to be a pull-through cache of
  quotas: [{prefix, bytes}]                   most that repositories may hold together
  deletes                                     false refuses deletes
  webhooks: [{name, url, headers}], events    who is told of push, pull, mount, delete
  garbage: {interval, grace, untagged, uploadLifetime}
                                              what is removed, and when
  limits: {blob, requestRate, stallTimeout, connections}
  storage: {s3: {endpoint, bucket, region, accessKey, secretKey, secretKeyFile, prefix, partSize,
            copyLimit}}
                                              blobs in S3 instead of files
  records: {postgres, postgresFile}           PostgreSQL instead of SQLite; together with S3 any
                                              number of servers may run side by side

Metrics are at /metrics (Prometheus). SIGUSR1 collects garbage at once, SIGTERM stops.`;

/** `berth registry serve`: runs the server's own program until it ends, passing on signals. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Run a registry that images can be pushed to and pulled from',
  flags,
  notes,
  args: noArgs,
  run: ({ flags: values }) => runServer(words(values)),
};

/** The flags again as words, for the server's program. */
function words(values: FlagValues): string[] {
  return flags.flatMap(({ name, kind }) => {
    if (kind === 'bool') return values.bool(name) ? [`--${name}`] : [];
    return values.changed(name) ? [`--${name}=${values.string(name)}`] : [];
  });
}

function runServer(args: string[]): Promise<number> {
  const program = fileURLToPath(new URL('../../registry-server/main.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
}
