import { Client, ConnectError } from '#client';
import type { Invocation } from '../command/index.ts';
import { readConfigFile } from './config-file.ts';
import { defaultSocket, resolveEndpoint } from './resolve-endpoint.ts';

/**
 * The client for the daemon that the user means. At our default socket, and only there, a daemon that does not run is
 * started; the notice goes to stderr.
 */
export async function connectClient(invocation: Pick<Invocation, 'globals' | 'terminal'>): Promise<Client> {
  const { globals, terminal } = invocation;
  const endpoint = resolveEndpoint(globals, terminal.env);
  const client = new Client(endpoint, readConfigFile(globals.configDir).HttpHeaders ?? {});
  if (endpoint.kind !== 'unix' || endpoint.address !== defaultSocket) return client;
  try {
    await client.system.ping();
  } catch (error) {
    const absent = error instanceof ConnectError && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
    if (!absent) throw error;
    terminal.stderr.write(`berth: no daemon answers at ${endpoint.address}, starting one in the background\n`);
    const { startDaemon } = await import('./start-daemon.ts');
    await startDaemon(endpoint.path);
  }
  return client;
}
