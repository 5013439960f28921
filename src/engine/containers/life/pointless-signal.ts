import { readFile } from 'node:fs/promises';

/**
 * Says why `signal` cannot end the process, or undefined when it may. The first process of a pid namespace gets no
 * signal that it does not handle (pid_namespaces(7)): waiting for it to react to one is waiting for nothing.
 */
export async function pointlessSignal(pid: number, signal: number): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined;
  }
  return judgeStatus(text, signal);
}

/** As {@link pointlessSignal}, on the text of /proc/PID/status (proc(5): NSpid, SigBlk, SigCgt). */
export function judgeStatus(status: string, signal: number): string | undefined {
  const line = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  const inside = line('NSpid').split(/\s+/);
  if (inside.length < 2 || inside.at(-1) !== '1') return undefined;
  const bit = 1n << BigInt(signal - 1);
  const has = (key: string) => (BigInt(`0x${line(key) || '0'}`) & bit) !== 0n;
  if (has('SigCgt') || has('SigBlk')) return undefined;
  return `its first process neither handles nor blocks signal ${signal}, and the kernel keeps unhandled signals from it`;
}
