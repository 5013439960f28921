export { pruneVolumes } from './prune.ts';
export * from './volume.ts';
export { volumeMigrations } from './volume-records.ts';
export { createVolumeService, type VolumeServiceOptions, type VolumeTrees } from './volumes.ts';
