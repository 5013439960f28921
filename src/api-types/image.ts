import type { ActorFacts } from './actor.ts';
import type { DriverData } from './container.ts';
import type { EmptyObject, HealthConfig } from './container-config.ts';
import type { OciDescriptor, OciPlatform } from './descriptor.ts';

/** What an image runs by default. */
export interface ImageRunConfig {
  Hostname?: string;
  Domainname?: string;
  User?: string;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  ExposedPorts?: Record<string, EmptyObject>;
  Tty?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  Env?: string[] | null;
  Cmd?: string[] | null;
  Healthcheck?: HealthConfig;
  ArgsEscaped?: boolean;
  Image?: string;
  Volumes?: Record<string, EmptyObject> | null;
  WorkingDir?: string;
  Entrypoint?: string[] | null;
  OnBuild?: string[] | null;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  Shell?: string[];
}

/** Answer of GET /images/{name}/json. Times RFC 3339, sizes bytes. */
export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  DockerVersion: string;
  Author: string;
  Config: ImageRunConfig | null;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  Size: number;
  /** Below API 1.44 only. */
  VirtualSize?: number;
  GraphDriver: DriverData;
  RootFS: { Type: string; Layers?: string[] };
  Metadata: { LastTagTime: string };
  Descriptor?: OciDescriptor;
}

/** One entry of GET /images/json. -1 means "not counted". */
export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  /** Seconds since the epoch. */
  Created: number;
  Size: number;
  SharedSize: number;
  /** Below API 1.44 only. */
  VirtualSize?: number;
  Labels: Record<string, string> | null;
  Containers: number;
  Descriptor?: OciDescriptor;
  /** From API 1.47 on, where asked for. */
  Manifests?: ImageManifestSummary[];
}

/** What is behind an image's name, one for each platform that is here. Sizes in bytes. */
export interface ImageManifestSummary {
  ID: string;
  Descriptor: OciDescriptor;
  Available: boolean;
  Kind: 'image';
  /** Of the blobs, and of those and the unpacked layers. */
  Size: { Content: number; Total: number };
  ImageData: {
    Platform: OciPlatform;
    /** Ids of the containers that use it. */
    Containers: string[];
    Size: { Unpacked: number };
  };
}

/** One entry of GET /images/{name}/history, newest first. */
export interface ImageHistoryItem {
  Id: string;
  /** Seconds since the epoch. */
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/** One step of an image removal: exactly one of the two is there. */
export interface ImageDeleteItem {
  Untagged?: string;
  Deleted?: string;
}

/** One entry of GET /berth/images/log, newest first. Empty ids from when the tag was removed. */
export interface ImageVersion {
  ImageID: string;
  ManifestDigest: string;
  /** RFC 3339. */
  Time: string;
  /** Who moved the tag: by a client's call (`api`) or the engine itself. */
  Actor: ActorFacts;
  /** Whether the image is still there. */
  Present: boolean;
}

/** Answer of POST /berth/images/rollback. */
export interface ImageRollback {
  Name: string;
  ImageID: string;
}

/** Answer of POST /images/prune. Bytes. */
export interface ImagesPruneReport {
  ImagesDeleted: ImageDeleteItem[] | null;
  SpaceReclaimed: number;
}

/** One hit of GET /images/search. */
export interface ImageSearchResult {
  name: string;
  description: string;
  is_official: boolean;
  is_automated: boolean;
  star_count: number;
}

/** Answer of GET /distribution/{name}/json. */
export interface DistributionInspect {
  Descriptor: OciDescriptor;
  Platforms: OciPlatform[];
}
