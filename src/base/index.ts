export * from './actor.ts';
export * from './digest.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './locks.ts';
export * from './log.ts';
export * from './undo.ts';
export * from './units.ts';
