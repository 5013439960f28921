import type { MountPoint, MountRequest } from '#api-types';
import { invalid, notImplemented } from '#base';
import type { FileObject, FileReference, Project, Service, ServiceVolume } from '../model/index.ts';
import type { DeliveredFile } from './plan.ts';

/** The two ways in which the API takes mounts. */
export interface ServiceMounts {
  readonly binds: string[];
  readonly mounts: MountRequest[];
}

/** What a replaced container leaves to its successor. */
export interface InheritedMounts {
  readonly mounts: readonly MountPoint[];
  /** Paths that the new image declares as volumes. */
  readonly imageVolumes: readonly string[];
}

function bindText(source: string, volume: ServiceVolume): string {
  const options = [volume.read_only ? 'ro' : 'rw'];
  if (volume.bind?.selinux) options.push(volume.bind.selinux);
  if (volume.bind?.propagation) options.push(volume.bind.propagation);
  return `${source}:${volume.target}:${options.join(',')}`;
}

function bindMount(volume: ServiceVolume): string | MountRequest {
  const { bind, source = '' } = volume;
  const needsMount = bind !== undefined && (bind.create_host_path !== true || (bind.recursive ?? '') !== '');
  if (!needsMount) return bindText(source, volume);
  const recursive: Record<string, object> = {
    disabled: { NonRecursive: true },
    writable: { ReadOnlyNonRecursive: true },
    readonly: { ReadOnlyForceRecursive: true },
  };
  return {
    Type: 'bind',
    Source: source,
    Target: volume.target ?? '',
    ReadOnly: volume.read_only ?? false,
    BindOptions: {
      ...(bind.propagation ? { Propagation: bind.propagation } : {}),
      ...(bind.create_host_path ? { CreateMountpoint: true } : {}),
      ...(recursive[bind.recursive ?? ''] ?? {}),
    },
  };
}

function volumeMount(volume: ServiceVolume, project: Project): string | MountRequest {
  const { source = '', target = '', volume: options } = volume;
  const known = project.volumes[source];
  const name = known?.name ?? source;
  const advanced = options?.nocopy || options?.subpath || Object.keys(options?.labels ?? {}).length > 0;
  if (known !== undefined && !advanced) return bindText(name, volume);
  return {
    Type: 'volume',
    ...(name === '' ? {} : { Source: name }),
    Target: target,
    ReadOnly: volume.read_only ?? false,
    VolumeOptions: {
      ...(options?.nocopy ? { NoCopy: true } : {}),
      ...(options?.subpath ? { Subpath: options.subpath } : {}),
      ...(options?.labels ? { Labels: options.labels } : {}),
    },
  };
}

function mountOf(volume: ServiceVolume, project: Project): string | MountRequest {
  const { type, source = '', target = '' } = volume;
  if (type === 'bind') return bindMount(volume);
  if (type === 'volume') return volumeMount(volume, project);
  if (type === 'tmpfs') {
    const { size, mode } = volume.tmpfs ?? {};
    const options = { ...(size ? { SizeBytes: Number(size) } : {}), ...(mode ? { Mode: mode } : {}) };
    return { Type: 'tmpfs', Target: target, ReadOnly: volume.read_only ?? false, TmpfsOptions: options };
  }
  const image = volume.image?.subpath ? { ImageOptions: { Subpath: volume.image.subpath } } : {};
  return { Type: type, Source: source, Target: target, ReadOnly: volume.read_only ?? false, ...image };
}

/** Where a secret or config is seen in a container. */
function deliveryPath(what: DeliveredFile['what'], reference: FileReference): string {
  const target = reference.target || reference.source || '';
  if (target.startsWith('/')) return target;
  return what === 'secret' ? `/run/secrets/${target}` : `/${target}`;
}

function deliveries(service: Service, project: Project): DeliveredFile[] {
  const of = (what: DeliveredFile['what'], references: FileReference[], objects: Record<string, FileObject>) =>
    references.map((reference): DeliveredFile => {
      const object = objects[reference.source ?? ''];
      if (object === undefined) {
        throw invalid(
          `service "${service.name}" refers to undefined ${what} ${reference.source}: invalid compose project`,
        );
      }
      if (object.external) throw notImplemented(`unsupported external ${what} ${reference.source}`);
      return { what, reference, object, path: deliveryPath(what, reference) };
    });
  return [
    ...of('secret', service.secrets ?? [], project.secrets),
    ...of('config', service.configs ?? [], project.configs),
  ];
}

/**
 * Secrets and configs of a service whose content does not come from a file: they are uploaded before each start.
 * Throws `invalid` and `not-implemented` with docker compose's texts.
 */
export function uploadedFiles(service: Service, project: Project): DeliveredFile[] {
  return deliveries(service, project).filter(({ object }) => object.file === undefined);
}

function anonymousVolume(mount: MountPoint): MountRequest {
  const source = mount.Type === 'volume' ? (mount.Name ?? '') : mount.Source;
  return { Type: mount.Type, Source: source, Target: mount.Destination, ReadOnly: !mount.RW };
}

/** All mounts of a service's container: its volumes, its secrets and configs from files, and what it inherits. */
export function mountsOf(service: Service, project: Project, inherited?: InheritedMounts): ServiceMounts {
  const result: ServiceMounts = { binds: [], mounts: [] };
  const volumes = service.volumes ?? [];
  const taken = new Set<string>();
  for (const mount of inherited?.mounts ?? []) {
    if (mount.Type === 'tmpfs') continue;
    const asked = volumes.find((volume) => volume.target === mount.Destination);
    const isAnonymous = asked === undefined ? inherited?.imageVolumes.includes(mount.Destination) : !asked.source;
    if (!isAnonymous || asked?.type === 'tmpfs') continue;
    taken.add(mount.Destination);
    result.mounts.push(anonymousVolume(mount));
  }
  for (const volume of volumes) {
    if (taken.has(volume.target ?? '')) continue;
    const mount = mountOf(volume, project);
    if (typeof mount === 'string') result.binds.push(mount);
    else result.mounts.push(mount);
  }
  for (const { what, object, path } of deliveries(service, project)) {
    if (object.file === undefined) continue;
    const options = what === 'secret' ? { BindOptions: {} } : {};
    result.mounts.push({ Type: 'bind', Source: object.file, Target: path, ReadOnly: true, ...options });
  }
  return result;
}
