export * from './containers/container.ts';
export * from './containers/containers.ts';
export * from './events/events.ts';
export * from './exec/execs.ts';
