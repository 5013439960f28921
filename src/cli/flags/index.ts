export * from './flag-help.ts';
export * from './flag-spec.ts';
export * from './flag-values.ts';
export * from './parse-flags.ts';
export * from './read-value.ts';
