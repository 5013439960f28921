export * from './load/index.ts';
export * from './model/index.ts';
