export type { Terminal } from './command/index.ts';
export { main, runCli } from './main.ts';
