export * from './container-waits.ts';
export * from './deliver-file.ts';
export * from './execute-plan.ts';
export * from './observe.ts';
export * from './overtaken-error.ts';
export * from './reporter.ts';
export * from './run-hook.ts';
export * from './run-steps.ts';
