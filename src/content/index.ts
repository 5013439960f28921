export * from './content.ts';
export * from './copy.ts';
export { type ContentStoreOptions, openContentStore } from './local-store.ts';
