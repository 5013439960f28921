import { rmSync, writeFileSync } from 'node:fs';
import { createLogger, isBerthError, type Logger, messageOf } from '#base';
import type { RegistryServer } from '#registry-server';
import { assemble } from './assemble.ts';
import { type DaemonConfig, readInvocation, usage } from './config.ts';
import { engineVersion } from './engine-facts.ts';
import { listenAddresses } from './listen-addresses.ts';
import { MountNamespace } from './mount-namespace.ts';
import { claimRoots } from './roots.ts';

const answers = {
  help: usage,
  version: `Berth version ${engineVersion}\n`,
  validate: 'configuration OK\n',
} as const;

/** The `berthd` program: reads this process's options, assembles the engine, serves until SIGTERM or SIGINT, ends the process. */
export async function main(): Promise<void> {
  try {
    const invocation = readInvocation(process.argv.slice(2));
    if (invocation.run === 'daemon') await serve(invocation.config);
    else process.stdout.write(answers[invocation.run]);
  } catch (error) {
    // An error of a known kind is the user's to mend and needs no stack.
    process.stderr.write(`berthd: ${isBerthError(error) ? messageOf(error) : stackOf(error)}\n`);
    process.exit(1);
  }
  // Connections that clients keep open must not keep a stopped daemon alive.
  process.exit(0);
}

async function serve(config: DaemonConfig): Promise<void> {
  const logger = createLogger(config.logLevel, (line) => process.stderr.write(line));
  const stopAsked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  // A defect in one request must not take the containers' manager down with it.
  process.on('unhandledRejection', (reason) => logger.error('unhandled rejection', { error: stackOf(reason) }));

  const addresses = listenAddresses(config);
  // What tools show as the name of this process; its arguments stay as they are.
  writeFileSync('/proc/self/comm', 'berthd');
  const namespace = MountNamespace.inherited(process.env);
  const roots = claimRoots(config);
  const daemon = await assemble(config, { roots, logger, hostNamespaceFd: namespace?.hostFd });
  let registry: RegistryServer | undefined;
  try {
    registry = await startRegistry(config, logger);
    for (const [index, address] of addresses.entries()) {
      await daemon.api.listen(address);
      logger.info(`API listen on ${config.hosts[index]}`);
    }
    logger.info('stopping', { signal: await stopAsked });
  } finally {
    await daemon.api.close();
    await registry?.close();
    const idle = await daemon.stop();
    if (idle) await namespace?.unpin(daemon.processes);
    rmSync(roots.pidfile, { force: true });
    roots.release();
  }
}

/** The registry room costs memory, so it is loaded only where a registry is asked for. */
async function startRegistry(config: DaemonConfig, logger: Logger): Promise<RegistryServer | undefined> {
  if (config.registryAddr === undefined && config.registryConfig === undefined) return undefined;
  const { serveRegistry } = await import('./own-registry.ts');
  return serveRegistry(config, logger);
}

function stackOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
