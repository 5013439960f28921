export * from './host.ts';
export * from './linux/files.ts';
export { createMounts } from './linux/mounts.ts';
export { createProcesses } from './linux/processes.ts';
export * from './linux/resolve-in-root.ts';
export { syncFileSystem } from './linux/sync.ts';
