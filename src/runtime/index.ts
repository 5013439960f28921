export * from './runtime.ts';
export * from './spec-input.ts';
