export * from './builder.ts';
export { builderMigrations } from './cache/migrations.ts';
export { type BuilderInstance, type BuilderOptions, createBuilder } from './create-builder.ts';
