import { join } from 'node:path';
import type { Logger } from '#base';
import { openRegistry, parseAddress, type RegistryServer, readConfigFile } from '#registry-server';
import type { DaemonConfig } from './config.ts';

/** Starts the daemon's own registry where one is configured. Throws `invalid` for its settings, `unavailable` for its address. */
export async function serveRegistry(config: DaemonConfig, logger: Logger): Promise<RegistryServer | undefined> {
  const settings = config.registryConfig === undefined ? {} : readConfigFile(config.registryConfig);
  const addr = config.registryAddr ?? settings.addr;
  if (addr === undefined) return undefined;
  const registry = await openRegistry(join(config.dataRoot, 'registry'), settings, { logger });
  try {
    const { host, port } = await registry.listen(parseAddress(addr));
    logger.info(`registry listens on ${host}:${port}`);
    return registry;
  } catch (error) {
    await registry.close();
    throw error;
  }
}
