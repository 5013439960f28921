import type { Handler } from '#buildkit';
import type { ApiPorts } from '../ports.ts';
import type { ClientSessions } from '../session/client-sessions.ts';
import { buildCacheHandlers } from './build-cache.ts';
import { buildHistoryHandlers } from './build-history.ts';
import { ControlBuilds } from './control-build.ts';
import { gatewayHandlers } from './gateway.ts';
import { solveHandlers } from './solve.ts';
import { workerHandlers } from './worker.ts';

/** BuildKit's control API over this engine; builds are shared by all connections that are served with these. */
export function controlHandlers(ports: ApiPorts, sessions: ClientSessions): Handler[] {
  const builds = new ControlBuilds();
  const services = { ports, sessions };
  return [
    ...workerHandlers(ports),
    ...solveHandlers(services, builds),
    ...gatewayHandlers(services, builds),
    ...buildCacheHandlers(ports),
    ...buildHistoryHandlers(),
  ];
}
