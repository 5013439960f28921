export * from './host.ts';
export { warmUpCgroups } from './linux/cgroup-warmup.ts';
export * from './linux/cgroups.ts';
export { createMounts } from './linux/mounts.ts';
export * from './linux/process-watch.ts';
export { createProcesses } from './linux/processes.ts';
export * from './linux/seqpacket.ts';
export * from './signals.ts';
