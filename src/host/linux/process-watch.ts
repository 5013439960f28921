import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import koffi from 'koffi';
import { errnoOf, isBerthError } from '#base';
import { check } from './libc.ts';
import { wrapDescriptor } from './pipe-handle.ts';

const library = koffi.load('libc.so.6');
const syscall = library.func('long syscall(long number, int pid, uint flags)');
const pidfdOpen = 434; // the same number on every architecture (pidfd_open(2), Linux 5.3)

/** A process by a name that is never used again: its pid and when it started (ticks since boot, proc_pid_stat(5) field 22). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** The identity of the process that has `pid` now; undefined when there is none (or only a zombie). */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

/** True while exactly this process lives. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startTicks === identity.startTicks;
}

/** Sends a signal to exactly this process; false when it is gone. Throws on EPERM and bad numbers. */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  try {
    const now = parseStat(identity.pid, readFileSync(`/proc/${identity.pid}/stat`, 'latin1'));
    if (now?.startTicks !== identity.startTicks) return false;
    return process.kill(identity.pid, signal);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Resolves once the process has ended (at once when it is gone). Costs one descriptor and no polling: epoll reports
 * a pidfd readable when its process ends. Any process can be watched, not only children.
 */
export async function processEnd(identity: ProcessIdentity): Promise<void> {
  let watch: Socket;
  try {
    watch = openPidfd(identity.pid);
  } catch (error) {
    if (isBerthError(error) && error.details.errno === 'ESRCH') return;
    throw error;
  }
  const closed = new Promise<void>((resolve) => watch.once('close', () => resolve()));
  // The identity is compared after the pidfd pins the pid: what is alive now is what is watched.
  if (!(await isAlive(identity))) {
    watch.destroy();
    return;
  }
  watch.resume();
  await closed;
}

/**
 * A stream on a pidfd, which closes when the process has ended. It must be resumed once the listeners are there. Throws
 * with details.errno `ESRCH` when there is no such process.
 */
export function openPidfd(pid: number): Socket {
  const fd = check(`pidfd_open ${pid}`, () => Number(syscall(pidfdOpen, pid, 0)));
  const watch = wrapDescriptor(fd, { writable: false });
  // A pidfd cannot be read: the end shows as a read error (EINVAL).
  watch.on('error', () => {});
  return watch;
}

function parseStat(pid: number, stat: string): ProcessIdentity | undefined {
  // The command (field 2) is in parentheses and may hold anything, so fields count from the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTicks: Number(fields[19]) };
}
