export * from './accounts.ts';
export * from './image.ts';
export * from './platform.ts';
export * from './reference.ts';
export * from './runtime-spec.ts';
