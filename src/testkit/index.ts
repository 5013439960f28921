export * from './busybox.ts';
export * from './content-suite.ts';
export * from './daemon.ts';
export * from './docker.ts';
export * from './docker-cli.ts';
export * from './leaks.ts';
export * from './memory-content.ts';
export * from './snapshot-suite.ts';
