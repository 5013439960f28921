import { z } from 'zod';
import { invalid } from '#base';
import type { MountSettings } from '#engine';
import { checkVolumeName } from '#volume';
import { cleanTarget, isPropagation } from './binds.ts';
import { bool, goObject, int, stringMap, text } from './go-json.ts';

/** Schema of one of HostConfig.Mounts. */
export const mountSchema = goObject({
  Type: text,
  Source: text,
  Target: text,
  ReadOnly: bool,
  Consistency: text,
  BindOptions: goObject({
    Propagation: text,
    NonRecursive: bool,
    CreateMountpoint: bool,
    ReadOnlyNonRecursive: bool,
    ReadOnlyForceRecursive: bool,
    IDMapping: goObject({ Source: text, User: text }).optional(),
  }).optional(),
  VolumeOptions: goObject({
    NoCopy: bool,
    Labels: stringMap,
    Subpath: text,
    DriverConfig: goObject({ Name: text, Options: stringMap }).optional(),
  }).optional(),
  ImageOptions: goObject({ Subpath: text }).optional(),
  TmpfsOptions: goObject({ SizeBytes: int, Mode: int, Options: z.array(z.array(z.string())).optional() }).optional(),
});

type WireMount = z.output<typeof mountSchema>;

const types = ['bind', 'volume', 'tmpfs', 'image', 'npipe', 'cluster'] as const;

/** Turns one of HostConfig.Mounts into the domain's. Throws `invalid` with Docker's texts. */
export function decodeMount(wire: WireMount): MountSettings {
  const type = types.find((name) => name === wire.Type);
  const prefix = `invalid mount config for type "${wire.Type ?? ''}": `;
  if (type === undefined || type === 'npipe' || type === 'cluster') throw invalid(`${prefix}mount type unknown`);
  if (!wire.Target) throw invalid(`${prefix}field Target must not be empty`);
  const target = cleanTarget(wire.Target, prefix);
  const source = wire.Source ?? '';
  checkSource(type, source, prefix);
  checkOptions(type, wire, prefix);
  return {
    type,
    source,
    target,
    readonly: wire.ReadOnly ?? false,
    createSource: wire.BindOptions?.CreateMountpoint ?? false,
    ...(type === 'bind' ? bindOptions(wire.BindOptions) : {}),
    ...(type === 'volume' ? volumeOptions(wire.VolumeOptions) : {}),
    ...(type === 'image' && wire.ImageOptions?.Subpath ? { subpath: wire.ImageOptions.Subpath } : {}),
    ...(type === 'tmpfs' ? { tmpfs: tmpfsOptions(wire.TmpfsOptions) } : {}),
  };
}

function checkSource(type: MountSettings['type'], source: string, prefix: string): void {
  if (type === 'tmpfs' && source !== '') throw invalid(`${prefix}field Source must not be specified`);
  if ((type === 'bind' || type === 'image') && source === '') throw invalid(`${prefix}field Source must not be empty`);
  if (type === 'bind' && !source.startsWith('/')) {
    throw invalid(`${prefix}invalid mount path: '${source}' mount path must be absolute`);
  }
  if (type === 'volume' && source !== '') checkVolumeName(source);
}

function checkOptions(type: MountSettings['type'], wire: WireMount, prefix: string): void {
  const owners = [
    ['BindOptions', 'bind'],
    ['VolumeOptions', 'volume'],
    ['ImageOptions', 'image'],
    ['TmpfsOptions', 'tmpfs'],
  ] as const;
  for (const [field, owner] of owners) {
    if (type !== owner && wire[field] !== undefined) throw invalid(`${prefix}field ${field} must not be specified`);
  }
  const propagation = wire.BindOptions?.Propagation;
  if (propagation && !isPropagation(propagation)) throw invalid(`${prefix}invalid propagation mode: ${propagation}`);
  const subpath = wire.VolumeOptions?.Subpath ?? wire.ImageOptions?.Subpath ?? '';
  if (subpath.startsWith('/') || subpath.split('/').includes('..')) {
    throw invalid(`${prefix}subpath must be a relative path within the volume`);
  }
  if (subpath !== '' && type === 'volume' && !wire.Source) {
    throw invalid(`${prefix}must not set Subpath when using anonymous volumes`);
  }
  if (type === 'tmpfs' && (wire.TmpfsOptions?.SizeBytes ?? 0) < 0) throw invalid(`${prefix}size must not be negative`);
}

function bindOptions(wire: WireMount['BindOptions']): Partial<MountSettings> {
  return {
    ...(wire?.Propagation ? { propagation: wire.Propagation } : {}),
    ...(wire?.NonRecursive ? { nonRecursive: true } : {}),
    ...(wire?.ReadOnlyNonRecursive ? { readonlyNonRecursive: true } : {}),
    ...(wire?.ReadOnlyForceRecursive ? { readonlyForceRecursive: true } : {}),
    ...(wire?.IDMapping ? { idMapping: idMapping(wire.IDMapping) } : {}),
  };
}

function idMapping({
  Source,
  User,
}: NonNullable<NonNullable<WireMount['BindOptions']>['IDMapping']>): NonNullable<MountSettings['idMapping']> {
  const prefix = 'invalid mount config for type "bind": ';
  if (Source === 'userns') {
    throw invalid(`${prefix}id mapping "userns" needs a user namespace of the container's own: use "match-user"`);
  }
  if (Source !== 'match-user') throw invalid(`${prefix}invalid id mapping ${JSON.stringify(Source ?? '')}`);
  return { source: 'match-user', ...(User ? { user: User } : {}) };
}

function volumeOptions(wire: WireMount['VolumeOptions']): Partial<MountSettings> {
  const driver = wire?.DriverConfig;
  return {
    ...(wire?.NoCopy ? { noCopy: true } : {}),
    ...(wire?.Subpath ? { subpath: wire.Subpath } : {}),
    ...(wire?.Labels ? { labels: wire.Labels } : {}),
    ...(driver ? { driver: { name: driver.Name ?? '', options: driver.Options ?? {} } } : {}),
  };
}

function tmpfsOptions(wire: WireMount['TmpfsOptions']): NonNullable<MountSettings['tmpfs']> {
  return {
    ...(wire?.SizeBytes ? { sizeBytes: wire.SizeBytes } : {}),
    ...(wire?.Mode ? { mode: wire.Mode } : {}),
    ...(wire?.Options ? { options: wire.Options } : {}),
  };
}
