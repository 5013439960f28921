/** A volume: an entry of GET /volumes, answer of GET /volumes/{name}. */
export interface Volume {
  /** Left out where only a plugin could know. */
  CreatedAt?: string;
  Driver: string;
  Labels: Record<string, string> | null;
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: 'local' | 'global';
  /** What a plugin has to say of it. */
  Status?: Record<string, unknown>;
  /** Bytes and containers; only in /system/df. */
  UsageData?: { Size: number; RefCount: number };
}

/** Answer of GET /volumes. */
export interface VolumeList {
  Volumes: Volume[];
  Warnings: string[] | null;
}

/** Body of POST /volumes/create. */
export interface VolumeCreateRequest {
  Name?: string;
  Driver?: string;
  DriverOpts?: Record<string, string> | null;
  Labels?: Record<string, string> | null;
}

/** Answer of POST /volumes/prune. Bytes. */
export interface VolumesPruneReport {
  VolumesDeleted: string[] | null;
  SpaceReclaimed: number;
}
