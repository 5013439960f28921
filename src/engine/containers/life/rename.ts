import { BerthError, invalid, isBerthError } from '#base';
import type { Sandboxes } from '#network';
import type { EventJournal } from '../../events/events.ts';
import { checkName } from '../create/validate.ts';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';

/** What renaming needs. */
export interface RenameDependencies {
  readonly registry: ContainerRegistry;
  readonly networks: Pick<Sandboxes, 'rename'>;
  readonly events: EventJournal;
}

/** Gives it another name, in DNS too. Throws `conflict` for a taken name, `invalid` for a bad one or its own. */
export async function renameContainer(deps: RenameDependencies, container: LiveContainer, to: string): Promise<void> {
  const { registry, networks, events } = deps;
  const name = to.replace(/^\//, '');
  if (name === '') throw invalid('Neither old nor new names may be empty');
  if (name === container.name) throw invalid('Renaming a container with the same name as its current name');
  const failed = 'Error when allocating new name';
  try {
    checkName(name);
    registry.reserve(name, container.id);
  } catch (error) {
    if (!isBerthError(error)) throw error;
    throw new BerthError(error.kind, `${failed}: ${error.message.replace(`(${name})`, `(/${name})`)}`, {
      cause: error,
    });
  }
  try {
    if (container.sandbox) await networks.rename(container.id, name);
  } catch (error) {
    registry.release(name);
    throw error;
  }
  const oldName = `/${container.name}`;
  registry.setSettings(container, { name });
  events.publish('container', 'rename', container.id, { ...container.eventAttributes, oldName });
}
