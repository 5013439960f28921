export * from './credentials.ts';
export * from './discard.ts';
export * from './pull-image.ts';
export * from './reference.ts';
export * from './render-progress.ts';
