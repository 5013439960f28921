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
    ipc: ipcOf(registry, ipcMode),
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

/**
 * The container whose IPC namespace `mode` (`container:NAME`) shares, through any number of sharers; undefined for any
 * other mode. Throws `conflict` with Docker's text when that one keeps its namespace to itself.
 */
export function ipcOwner(registry: Pick<ContainerRegistry, 'find'>, mode: string) {
  const seen = new Set<string>();
  let owner = joinedContainer(registry, mode, 'ipc');
  while (owner?.settings.host.ipcMode.startsWith('container:') && !seen.has(owner.id)) {
    seen.add(owner.id);
    owner = joinedContainer(registry, owner.settings.host.ipcMode, 'ipc');
  }
  if (owner === undefined || ['shareable', 'host'].includes(owner.settings.host.ipcMode)) return owner;
  throw conflict(
    `failed to join IPC namespace: container ${owner.id}: non-shareable IPC ` +
      '(hint: use IpcMode:shareable for the donor container)',
  );
}

function ipcOf(registry: Pick<ContainerRegistry, 'find'>, mode: string): NamespaceSource {
  if (mode === 'host') return 'host';
  const owner = ipcOwner(registry, mode);
  return owner ? { path: `/proc/${owner.task.pid}/ns/ipc` } : 'private';
}

function joinable(registry: Pick<ContainerRegistry, 'find'>, mode: string, what: 'pid'): NamespaceSource {
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
