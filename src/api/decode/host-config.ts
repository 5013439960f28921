import { z } from 'zod';
import { invalid } from '#base';
import type { HostSettings, MountSettings } from '#engine';
import { parseBind } from './binds.ts';
import { decodeExtraHosts } from './extra-hosts.ts';
import { bool, goObject, int, stringMap, strings, text } from './go-json.ts';

import { decodeMount, mountSchema } from './mounts.ts';
import { decodePortBindings, portMapSchema } from './ports.ts';
import { decodeResources, resourceShape } from './resources.ts';
import { decodeRestartPolicy, restartPolicySchema } from './restart-policy.ts';

/** Schema of HostConfig in requests. */
export const hostConfigSchema = goObject({
  ...resourceShape,
  Binds: strings,
  ContainerIDFile: text,
  LogConfig: goObject({ Type: text, Config: stringMap }).optional(),
  NetworkMode: text,
  PortBindings: portMapSchema,
  RestartPolicy: restartPolicySchema.optional(),
  AutoRemove: bool,
  VolumeDriver: text,
  VolumesFrom: strings,
  Mounts: z.array(mountSchema).optional(),
  ConsoleSize: z.array(z.number().int()).optional(),
  Annotations: stringMap,
  CapAdd: strings,
  CapDrop: strings,
  CgroupnsMode: text,
  CgroupParent: text,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text,
  Isolation: text,
  Links: strings,
  OomScoreAdj: int,
  PidMode: text,
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: strings,
  StorageOpt: stringMap,
  Tmpfs: stringMap,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: int,
  Sysctls: stringMap,
  Runtime: text,
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: bool,
  Devices: z.array(goObject({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text })).optional(),
  DeviceCgroupRules: strings,
  DeviceRequests: z
    .array(
      goObject({
        Driver: text,
        Count: int,
        DeviceIDs: strings,
        Capabilities: z.array(z.array(z.string())).optional(),
        Options: stringMap,
      }),
    )
    .optional(),
});

type WireHostConfig = z.output<typeof hostConfigSchema>;

/** Turns HostConfig into the domain's settings. Throws `invalid` with Docker's texts. */
export function decodeHostConfig(wire: WireHostConfig): HostSettings {
  checkHostConfig(wire);
  return {
    mounts: decodeMounts(wire),
    volumesFrom: wire.VolumesFrom ?? [],
    volumeDriver: wire.VolumeDriver ?? '',
    networkMode: networkMode(wire.NetworkMode),
    ports: decodePortBindings(wire.PortBindings),
    publishAllPorts: wire.PublishAllPorts ?? false,
    restart: decodeRestartPolicy(wire.RestartPolicy ?? {}),
    autoRemove: wire.AutoRemove ?? false,
    log: { driver: wire.LogConfig?.Type ?? '', options: wire.LogConfig?.Config ?? {} },
    ...securitySettings(wire),
    ...nameSettings(wire),
    groupAdd: wire.GroupAdd ?? [],
    ...namespaceSettings(wire),
    oomScoreAdj: wire.OomScoreAdj ?? 0,
    shmSize: wire.ShmSize ?? 0,
    sysctls: wire.Sysctls ?? {},
    tmpfs: wire.Tmpfs ?? {},
    ...deviceSettings(wire),
    storageOpt: wire.StorageOpt ?? {},
    runtime: wire.Runtime ?? '',
    init: wire.Init,
    containerIdFile: wire.ContainerIDFile ?? '',
    consoleSize: [wire.ConsoleSize?.[0] ?? 0, wire.ConsoleSize?.[1] ?? 0],
    annotations: wire.Annotations ?? {},
    resources: decodeResources(wire),
  };
}

/** Docker's `default` is the bridge here. */
export function networkMode(mode: string | undefined): string {
  return mode === undefined || mode === '' || mode === 'default' ? 'bridge' : mode;
}

function decodeMounts(wire: WireHostConfig): MountSettings[] {
  const mounts = [
    ...(wire.Binds ?? []).map((bind) => parseBind(bind, wire.VolumeDriver ?? '')),
    ...(wire.Mounts ?? []).map(decodeMount),
  ];
  const taken = new Set<string>();
  for (const target of [...mounts.map((mount) => mount.target), ...Object.keys(wire.Tmpfs ?? {})]) {
    if (taken.has(target)) throw invalid(`Duplicate mount point: ${target}`);
    taken.add(target);
  }
  return mounts;
}

function namespaceSettings(wire: WireHostConfig) {
  return {
    ipcMode: wire.IpcMode ?? '',
    pidMode: wire.PidMode ?? '',
    utsMode: wire.UTSMode ?? '',
    usernsMode: wire.UsernsMode ?? '',
    cgroupnsMode: wire.CgroupnsMode ?? '',
    cgroupParent: wire.CgroupParent ?? '',
  };
}

function nameSettings(wire: WireHostConfig) {
  return {
    dns: wire.Dns ?? [],
    dnsOptions: wire.DnsOptions ?? [],
    dnsSearch: wire.DnsSearch ?? [],
    extraHosts: decodeExtraHosts(wire.ExtraHosts ?? []),
    links: wire.Links ?? [],
  };
}

function securitySettings(wire: WireHostConfig) {
  return {
    capAdd: wire.CapAdd ?? [],
    capDrop: wire.CapDrop ?? [],
    privileged: wire.Privileged ?? false,
    readonlyRootfs: wire.ReadonlyRootfs ?? false,
    securityOpt: wire.SecurityOpt ?? [],
    ...(wire.MaskedPaths === undefined ? {} : { maskedPaths: wire.MaskedPaths }),
    ...(wire.ReadonlyPaths === undefined ? {} : { readonlyPaths: wire.ReadonlyPaths }),
  };
}

function deviceSettings(wire: WireHostConfig): Pick<HostSettings, 'devices' | 'deviceCgroupRules' | 'deviceRequests'> {
  return {
    devices: (wire.Devices ?? []).map(({ PathOnHost = '', PathInContainer, CgroupPermissions }) => ({
      pathOnHost: PathOnHost,
      pathInContainer: PathInContainer || PathOnHost,
      permissions: CgroupPermissions || 'rwm',
    })),
    deviceCgroupRules: wire.DeviceCgroupRules ?? [],
    deviceRequests: (wire.DeviceRequests ?? []).map((request) => ({
      driver: request.Driver ?? '',
      count: request.Count ?? 0,
      deviceIds: request.DeviceIDs ?? [],
      capabilities: request.Capabilities ?? [],
      options: request.Options ?? {},
    })),
  };
}

function checkHostConfig(wire: WireHostConfig): void {
  if (wire.Isolation && wire.Isolation !== 'default') {
    throw invalid(`invalid isolation (${wire.Isolation}): linux only supports 'default'`);
  }
  if (Object.hasOwn(wire.Annotations ?? {}, '')) {
    throw invalid('invalid Annotations: the empty string is not permitted as an annotation key');
  }
  for (const path of Object.keys(wire.Tmpfs ?? {})) {
    if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  }
}
