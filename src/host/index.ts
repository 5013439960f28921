export * from './host.ts';
export * from './linux/file-locks.ts';
