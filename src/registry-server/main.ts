import { parseArgs } from 'node:util';
import { createLogger, invalid, isBerthError, messageOf } from '#base';
import { parseAddress, parseConfig, type RegistryConfig, readConfigFile } from './config.ts';
import { openRegistry } from './open-registry.ts';

const flags = {
  addr: { type: 'string' },
  data: { type: 'string' },
  config: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  htpasswd: { type: 'string' },
  'anonymous-read': { type: 'boolean' },
  'read-only': { type: 'boolean' },
  upstream: { type: 'string' },
  'access-log': { type: 'boolean' },
  'log-level': { type: 'string' },
} as const;

/** Runs the registry as a process of its own (`berth registry serve`) until SIGTERM or SIGINT; SIGUSR1 collects garbage. */
async function main(argv: readonly string[]): Promise<void> {
  const config = readInvocation(argv);
  const logger = createLogger(config.logLevel ?? 'info', (line) => process.stderr.write(line));
  process.on('unhandledRejection', (reason) => logger.error('unhandled rejection', { error: stackOf(reason) }));
  const stopAsked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  const registry = await openRegistry(config.data ?? '/var/lib/berth-registry', config, {
    logger,
    accessLog: config.accessLog ? (entry) => process.stdout.write(`${JSON.stringify(entry)}\n`) : undefined,
  });
  process.on('SIGUSR1', () => {
    registry
      .collectGarbage()
      .catch((error: unknown) => logger.error('garbage collection failed', { error: messageOf(error) }));
  });
  try {
    const { host, port } = await registry.listen(parseAddress(config.addr ?? '127.0.0.1:5000'));
    logger.info(`registry listens on ${host.includes(':') ? `[${host}]` : host}:${port}`);
    logger.info('stopping', { signal: await stopAsked });
  } finally {
    await registry.close();
  }
}

function readInvocation(argv: readonly string[]): RegistryConfig {
  const values = parseFlags(argv);
  const file: RegistryConfig = values.config === undefined ? {} : readConfigFile(values.config);
  const cert = values['tls-cert'] ?? file.tls?.cert;
  const key = values['tls-key'] ?? file.tls?.key;
  if ((cert === undefined) !== (key === undefined)) throw invalid('--tls-cert and --tls-key go together');
  const auth = {
    ...file.auth,
    ...(values.htpasswd === undefined ? {} : { htpasswd: values.htpasswd }),
    ...(values['anonymous-read'] ? { anonymousRead: true } : {}),
  };
  const fromFlags = {
    ...(values.addr === undefined ? {} : { addr: values.addr }),
    ...(values.data === undefined ? {} : { data: values.data }),
    ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }),
    ...(Object.keys(auth).length === 0 ? {} : { auth }),
    ...(values['read-only'] ? { readOnly: true } : {}),
    ...(values['access-log'] ? { accessLog: true } : {}),
    ...(values.upstream === undefined ? {} : { upstreams: [{ prefix: '', registry: values.upstream }] }),
    ...(values['log-level'] === undefined ? {} : { logLevel: values['log-level'] }),
  };
  // The file's values are converted already; the flags are checked by the same rules.
  return { ...file, ...parseConfig(fromFlags, 'command line') };
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, strict: true }).values;
  } catch (error) {
    throw invalid(`${messageOf(error).split('. ')[0]}; see berth registry serve --help`);
  }
}

function stackOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`berth registry: ${isBerthError(error) ? messageOf(error) : stackOf(error)}\n`);
    process.exit(1);
  },
);
