import { conflict } from '#base';
import type { NamespaceSource, SpecInput } from '#runtime';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';

/** Namespaces of a container beside the network one, by its modes. Throws `conflict` when one to join does not run. */
export function chooseNamespaces(
  registry: Pick<ContainerRegistry, 'find'>,
  container: LiveContainer,
): Omit<SpecInput['namespaces'], 'network'> {
  const { pidMode, ipcMode, utsMode, cgroupnsMode, networkMode } = container.settings.host;
  return {
    pid: joinable(registry, pidMode, 'pid'),
    ipc: joinable(registry, ipcMode, 'ipc'),
    uts: chooseUts(registry, utsMode, networkMode),
    cgroup: cgroupnsMode === 'host' ? 'host' : 'private',
  };
}

/** The running container that `mode` (`container:NAME`) joins; undefined for any other mode. Throws `conflict`, `not-found`. */
export function joinedContainer(
  registry: Pick<ContainerRegistry, 'find'>,
  mode: string,
  what: 'network' | 'pid' | 'ipc',
): (LiveContainer & { readonly task: NonNullable<LiveContainer['task']> }) | undefined {
  if (!mode.startsWith('container:')) return undefined;
  const target = registry.find(mode.slice('container:'.length));
  if (target.task === undefined) {
    const verb =
      what === 'network' ? 'cannot join network of a non running container' : 'cannot join a non running container';
    throw conflict(`${verb}: ${target.id}`);
  }
  return target as LiveContainer & { readonly task: NonNullable<LiveContainer['task']> };
}

function joinable(registry: Pick<ContainerRegistry, 'find'>, mode: string, what: 'pid' | 'ipc'): NamespaceSource {
  if (mode === 'host') return 'host';
  const target = joinedContainer(registry, mode, what);
  return target ? { path: `/proc/${target.task.pid}/ns/${what}` } : 'private';
}

/** A container that shares another's network also shares its host name. */
function chooseUts(registry: Pick<ContainerRegistry, 'find'>, mode: string, networkMode: string): NamespaceSource {
  if (mode === 'host' || (mode === '' && networkMode === 'host')) return 'host';
  const target = joinedContainer(registry, networkMode, 'network');
  return target ? { path: `/proc/${target.task.pid}/ns/uts` } : 'private';
}
