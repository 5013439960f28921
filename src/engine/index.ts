export * from './containers/container.ts';
export * from './containers/containers.ts';
export { applyChanges } from './containers/content/commit-changes.ts';
export { signalNumber } from './containers/signals.ts';
export { type ContainerEngine, createContainerEngine, type EngineOptions } from './create-engine.ts';
export * from './events/events.ts';
export { createJournal, type Journal, type JournalOptions } from './events/journal.ts';
export * from './exec/execs.ts';
export { engineMigrations } from './schema.ts';
