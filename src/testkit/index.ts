export * from './busybox.ts';
export * from './daemon.ts';
export * from './docker.ts';
export * from './docker-cli.ts';
export * from './leaks.ts';
export * from './pty.ts';
export * from './private-mounts.ts';
export * from './runtime-fixture.ts';
