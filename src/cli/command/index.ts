export * from './command.ts';
export * from './exit-error.ts';
export * from './usage.ts';
