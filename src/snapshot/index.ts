export { createOverlaySnapshotter, type OverlaySnapshotterOptions } from './overlay-snapshotter.ts';
export * from './snapshot.ts';
export { snapshotMigrations } from './snapshot-records.ts';
