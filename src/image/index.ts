export { type BootstrapSpec, bootstrap } from './bootstrap.ts';
export { chainIds } from './chain-id.ts';
export * from './image.ts';
export { imageMigrations } from './image-records.ts';
export { createImageStore, type ImageEvent, type ImageStoreOptions, type LocalImageStore } from './image-store.ts';
export { type PruneOptions, pruneImages } from './prune.ts';
