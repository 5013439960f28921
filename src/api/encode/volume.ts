import type { Volume as WireVolume } from '#api-types';
import type { Volume } from '#volume';
import { formatTime } from './time.ts';

/** A volume as the API shows it; `usage` only for /system/df. Bytes. */
export function encodeVolume(volume: Volume, usage?: { size: number; users: number }): WireVolume {
  const labels = volume.anonymous ? { 'com.docker.volume.anonymous': '', ...volume.labels } : { ...volume.labels };
  return {
    // Docker gives whole seconds here, unlike everywhere else.
    ...(volume.createdAt > 0 ? { CreatedAt: formatTime(Math.floor(volume.createdAt / 1000) * 1000) } : {}),
    Driver: volume.driver,
    Labels: Object.keys(labels).length > 0 ? labels : null,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: Object.keys(volume.options).length > 0 ? { ...volume.options } : null,
    Scope: volume.scope,
    ...(volume.status ? { Status: { ...volume.status } } : {}),
    ...(usage === undefined ? {} : { UsageData: { Size: usage.size, RefCount: usage.users } }),
  };
}
