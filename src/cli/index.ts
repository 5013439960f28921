export { main, runCli } from './main.ts';
export type { Terminal } from './command/index.ts';
