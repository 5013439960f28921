import { BerthError } from '#base';
import { type Project, placeOf } from '../model/index.ts';
import { labels, type Operation } from '../plan/index.ts';

/** Operations on containers that the file has no say in. */
const fileless = new Set<Operation['kind']>([
  'stop-container',
  'restart-container',
  'kill-container',
  'pause-container',
  'unpause-container',
  'remove-container',
]);

/** The keys of the file that an operation's failure is most likely about. */
function pathOf(operation: Operation, message: string): string[] | undefined {
  if (operation.kind === 'wait-for') {
    const ended = operation.condition === 'service_completed_successfully' || / exited \(/.test(message);
    const end = ended ? 'command' : 'healthcheck';
    return ['services', operation.dependency, end];
  }
  if (operation.kind === 'create-network') return ['networks', operation.body.Labels?.[labels.network] ?? ''];
  if (operation.kind === 'create-volume') return ['volumes', operation.body.Labels?.[labels.volume] ?? ''];
  if (!('container' in operation) || fileless.has(operation.kind)) return undefined;
  const isPort = /port is already allocated|address already in use|failed to bind host port/.test(message);
  return ['services', operation.container.service, ...(isPort ? ['ports'] : [])];
}

/**
 * Adds to the message of a failure which service, network or volume, key and line of the file it is about, where the
 * project knows. The error stays the one that it was: what the engine said is at the beginning of the message, its kind is kept.
 */
export function placeError(error: unknown, operation: Operation, project: Project | undefined): unknown {
  if (!(error instanceof BerthError)) return error;
  const path = pathOf(operation, error.message);
  if (path !== undefined) error.message += placeOf(project, path);
  return error;
}
