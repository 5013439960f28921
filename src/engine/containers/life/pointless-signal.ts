import { readFile } from 'node:fs/promises';

/**
 * Numbers of rt_sigtimedwait and rt_sigtimedwait_time64 (<asm/unistd.h>), of 64-bit processes first, then of 32-bit ones.
 * What they name in the other word size is never waited in.
 */
const signalWaits: Readonly<Partial<Record<NodeJS.Architecture, readonly number[]>>> = {
  x64: [128, 177, 421],
  arm64: [137, 177, 421],
};

/**
 * Says why `signal` cannot end the process, or undefined when it may. The first process of a pid namespace gets no
 * signal that it does not handle (pid_namespaces(7)): waiting for it to react to one is waiting for nothing.
 */
export async function pointlessSignal(pid: number, signal: number): Promise<string | undefined> {
  try {
    // Asked on both sides of the look at the masks: one that waits for signals by sigtimedwait, as tini does, returns at any time.
    const before = await readFile(`/proc/${pid}/syscall`, 'utf8');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const after = await readFile(`/proc/${pid}/syscall`, 'utf8');
    if (mayTakeSignals(before) || mayTakeSignals(after)) return undefined;
    return judgeStatus(status, signal);
  } catch {
    return undefined;
  }
}

/**
 * Whether a process, by its /proc/PID/syscall (proc(5)), may be in sigtimedwait(2): the kernel then shows the signals
 * that it waits for as not blocked, though it gets them.
 */
export function mayTakeSignals(syscall: string, architecture: NodeJS.Architecture = process.arch): boolean {
  const waits = signalWaits[architecture];
  return waits === undefined || waits.includes(Number.parseInt(syscall, 10));
}

/** As {@link pointlessSignal} for one that is not in sigtimedwait, on the text of /proc/PID/status (proc(5): NSpid, SigBlk, SigCgt). */
export function judgeStatus(status: string, signal: number): string | undefined {
  const line = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  const inside = line('NSpid').split(/\s+/);
  if (inside.length < 2 || inside.at(-1) !== '1') return undefined;
  const bit = 1n << BigInt(signal - 1);
  const has = (key: string) => (BigInt(`0x${line(key) || '0'}`) & bit) !== 0n;
  if (has('SigCgt') || has('SigBlk')) return undefined;
  return `its first process neither handles nor blocks signal ${signal}, and the kernel keeps unhandled signals from it`;
}
