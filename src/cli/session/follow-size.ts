import type { Terminal } from '../command/index.ts';

/** Sends the terminal's size now and whenever it changes; returns how to stop. Failures are ignored: size is a nicety. */
export function followSize(
  terminal: Terminal,
  resize: (size: { rows: number; columns: number }) => Promise<void>,
): () => void {
  const send = (): void => {
    const { rows, columns } = terminal.stdout;
    if (rows !== undefined && columns !== undefined && rows > 0) resize({ rows, columns }).catch(() => undefined);
  };
  send();
  terminal.stdout.on('resize', send);
  return () => terminal.stdout.off('resize', send);
}
