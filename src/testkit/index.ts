export * from './daemon.ts';
export * from './leaks.ts';
