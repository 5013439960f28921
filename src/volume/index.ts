export { pruneVolumes } from './prune.ts';
export * from './volume.ts';
export { checkVolumeName } from './volume-name.ts';
export { volumeMigrations } from './volume-records.ts';
export * from './volume-trees.ts';
export { createVolumeService, type VolumeServiceOptions } from './volumes.ts';
