export * from './database.ts';
export { openDatabase } from './sqlite.ts';
