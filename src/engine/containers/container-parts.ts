import type { ImageReader } from '#image';
import type { NetworkService } from '#network';
import type { Snapshotter } from '#snapshot';
import type { VolumeService } from '#volume';
import type { AttachDependencies } from './attach/attach.ts';
import type { ArchiveDependencies } from './content/archive-paths.ts';
import type { CommitDependencies } from './content/commit.ts';
import type { CreateDependencies } from './create/create.ts';
import type { StatsSampler } from './inspect/stats-sampler.ts';
import type { ConnectDependencies } from './life/connect.ts';
import type { DisposeDependencies } from './life/dispose.ts';
import type { RenameDependencies } from './life/rename.ts';
import type { StopDependencies } from './life/stop.ts';
import type { Supervisor } from './life/supervisor.ts';
import type { UpdateDependencies } from './life/update.ts';
import type { SecretFiles } from './secrets/secret-files.ts';

/** The parts that the use cases on containers are put together from; each use case names the few that it needs. */
export interface ContainerParts
  extends Omit<CreateDependencies, 'images' | 'snapshots' | 'volumes'>,
    Omit<ArchiveDependencies, 'volumes'>,
    AttachDependencies,
    Omit<CommitDependencies, 'images' | 'snapshots'>,
    Omit<ConnectDependencies, 'networks'>,
    Omit<RenameDependencies, 'networks'>,
    Omit<DisposeDependencies, 'snapshots' | 'volumes'>,
    Omit<StopDependencies, 'supervisor'>,
    UpdateDependencies {
  readonly images: ImageReader & CommitDependencies['images'];
  readonly snapshots: Snapshotter;
  readonly volumes: VolumeService;
  readonly networks: NetworkService;
  readonly supervisor: Supervisor;
  readonly sampler: StatsSampler;
  readonly secrets: SecretFiles;
}
