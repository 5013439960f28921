export * from './host.ts';
export { createMounts } from './linux/mounts.ts';
export { createProcesses } from './linux/processes.ts';
export { syncFileSystem } from './linux/sync.ts';
