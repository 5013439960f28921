export * from './host.ts';
export * from './linux/files.ts';
export * from './linux/resolve-in-root.ts';
