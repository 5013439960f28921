import { conflict, notFound } from '#base';
import type { Sandboxes } from '#network';
import type { EventJournal } from '../../events/events.ts';
import { isUp, type LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import { ownsNetwork } from '../start/open-network.ts';

/** What taking over needs. */
export interface TakeOverDependencies {
  readonly registry: ContainerRegistry;
  readonly networks: Pick<Sandboxes, 'takeOver'>;
  readonly events: EventJournal;
}

/**
 * Marks a container that does not run so that its next start is beside `holder`: without its ports, and meant by its
 * names only where nobody else is. Throws `conflict` when either cannot take part.
 */
export function standBy(deps: TakeOverDependencies, container: LiveContainer, holder: LiveContainer): void {
  if (container === holder) throw conflict(`container ${container.name} cannot stand by for itself`);
  if (container.task !== undefined) throw conflict(`container ${container.name} is already running`);
  if (!isUp(holder.state)) throw conflict(`container ${holder.name} is not running: there is nothing to take over`);
  for (const one of [container, holder]) {
    if (!ownsNetwork(one)) {
      throw conflict(`container ${one.name} has no network of its own (${one.settings.host.networkMode})`);
    }
  }
  deps.registry.setSettings(container, { standbyFor: holder.id });
}

/**
 * Gives a container that runs beside another its ports, its place in DNS and its name, all in one step; the other one
 * goes on under the first one's old name. Returns the other. Throws `conflict` when it does not stand by or does not
 * run, `not-found` when the other is gone; nothing has changed then.
 */
export async function takeOver(deps: TakeOverDependencies, container: LiveContainer): Promise<LiveContainer> {
  const { registry } = deps;
  const { standbyFor } = container.settings;
  if (standbyFor === undefined) throw conflict(`container ${container.name} does not stand by to take over`);
  const holder = registry.tryFind(standbyFor);
  if (holder === undefined) throw notFound(`the container that ${container.name} stands by for is gone`);
  // Both are locked, always in the same order.
  const [first, second] = container.id < holder.id ? [container, holder] : [holder, container];
  await registry.exclusively(first, () => registry.exclusively(second, () => exchange(deps, container, holder)));
  return holder;
}

async function exchange(deps: TakeOverDependencies, container: LiveContainer, holder: LiveContainer): Promise<void> {
  const { registry, networks, events } = deps;
  for (const one of [container, holder]) {
    if (one.task === undefined) throw conflict(`container ${one.name} is not running`);
  }
  const before = [
    [container, container.settings],
    [holder, holder.settings],
  ] as const;
  let adopt = (): void => undefined;
  await networks.takeOver(container.id, {
    from: holder.id,
    names: { owner: holder.name, from: container.name },
    record: () => {
      adopt = registry.exchangeNames(container, holder, { standbyFor: undefined });
    },
    unrecord: () => registry.writeSettings(before),
  });
  adopt();
  for (const [one, { name }] of before) {
    events.publish('container', 'rename', one.id, { ...one.eventAttributes, oldName: `/${name}` });
  }
  events.publish('container', 'takeover', container.id, { ...container.eventAttributes, from: holder.id });
}
