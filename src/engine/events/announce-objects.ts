import { isBerthError } from '#base';
import type { Networks } from '#network';
import type { VolumeService } from '#volume';
import type { EventJournal } from './events.ts';

/** Networks as the API uses them: made and removed ones are announced. */
export function announceNetworks(networks: Networks, events: EventJournal): Networks {
  return {
    get: (name) => networks.get(name),
    list: () => networks.list(),
    endpoints: (networkId) => networks.endpoints(networkId),
    async create(request) {
      const network = await networks.create(request);
      events.publish('network', 'create', network.id, { name: network.name, type: network.driver });
      return network;
    },
    async remove(name) {
      const network = await networks.remove(name);
      events.publish('network', 'destroy', network.id, { name: network.name, type: network.driver });
      return network;
    },
  };
}

/** Volumes as the API uses them: made and removed ones are announced. */
export function announceVolumes(volumes: VolumeService, events: EventJournal): VolumeService {
  const find = async (name: string) => {
    try {
      return await volumes.get(name);
    } catch (error) {
      if (isBerthError(error, 'not-found')) return undefined;
      throw error;
    }
  };
  return {
    get: (name) => volumes.get(name),
    list: () => volumes.list(),
    survey: () => volumes.survey(),
    acquire: (name, user) => volumes.acquire(name, user),
    release: (user) => volumes.release(user),
    users: (name) => volumes.users(name),
    mount: (name, user) => volumes.mount(name, user),
    adopt: (name, user) => volumes.adopt(name, user),
    unmount: (name, user) => volumes.unmount(name, user),
    copyUp: (name, source) => volumes.copyUp(name, source),
    size: (name) => volumes.size(name),
    reconcile: (users) => volumes.reconcile(users),
    async create(request) {
      const before = request.name === undefined ? undefined : await find(request.name);
      const volume = await volumes.create(request);
      if (before === undefined) events.publish('volume', 'create', volume.name, { driver: volume.driver });
      return volume;
    },
    async export(name, options) {
      const archive = await volumes.export(name, options);
      events.publish('volume', 'export', name, {});
      return archive;
    },
    async import(name, archive, options) {
      const before = await find(name);
      const volume = await volumes.import(name, archive, options);
      const action = before === undefined ? 'create' : 'import';
      events.publish('volume', action, volume.name, { driver: volume.driver });
      return volume;
    },
    async clone(source, request) {
      const volume = await volumes.clone(source, request);
      events.publish('volume', 'create', volume.name, { driver: volume.driver });
      return volume;
    },
    async rename(name, newName) {
      const volume = await volumes.rename(name, newName);
      events.publish('volume', 'rename', volume.name, { driver: volume.driver, oldName: name });
      return volume;
    },
    async remove(name, options) {
      const volume = await find(name);
      await volumes.remove(name, options);
      if (volume) events.publish('volume', 'destroy', volume.name, { driver: volume.driver });
    },
  };
}
