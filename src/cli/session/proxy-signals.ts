import { constants } from 'node:os';

/** Signals that are this process's own business. */
const ours = new Set([
  'SIGKILL',
  'SIGSTOP',
  'SIGCHLD',
  'SIGPIPE',
  'SIGWINCH',
  'SIGURG',
  'SIGPROF',
  'SIGSEGV',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGIOT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGCONT',
  'SIGUNUSED',
  'SIGVTALRM',
  'SIGSYS',
]);

/** Passes the signals that this process gets on to `send`; returns how to stop. */
export function proxySignals(send: (signal: string) => Promise<void>): () => void {
  const handlers: [NodeJS.Signals, () => void][] = [];
  for (const name of Object.keys(constants.signals) as NodeJS.Signals[]) {
    if (ours.has(name)) continue;
    const handler = (): void => {
      send(name.replace(/^SIG/, '')).catch(() => undefined);
    };
    try {
      process.on(name, handler);
      handlers.push([name, handler]);
    } catch {
      // Some signals cannot be caught on this platform.
    }
  }
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}
