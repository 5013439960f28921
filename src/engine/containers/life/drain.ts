import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf } from '#base';
import type { LiveContainer } from '../live-container.ts';

/** The kernel tells nobody when a socket of another namespace closes, so its tables are read this often (ms). */
const interval = 100;

/** TCP states (kernel: include/net/tcp_states.h). */
const listening = '0A';
/** Nobody waits for an answer on these: TIME_WAIT and CLOSE. */
const over = new Set(['06', '07']);

/**
 * Waits until nobody is connected to a port that the container listens on, for `timeout` seconds at most. Returns how many
 * connections are left. Connections from inside the container do not count. At once for one that does not run.
 */
export async function drainContainer(
  container: LiveContainer,
  options: { timeout: number; signal: AbortSignal },
): Promise<number> {
  const end = Date.now() + options.timeout * 1000;
  for (;;) {
    const { task } = container;
    const open = task === undefined ? 0 : await openConnections(task.pid);
    if (open === 0 || Date.now() >= end || options.signal.aborted) return open;
    await pause(interval);
  }
}

async function openConnections(pid: number): Promise<number> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => socketTable(`/proc/${pid}/net/${name}`)));
  return countInbound(tables.join('\n'));
}

async function socketTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // Gone meanwhile, or a kernel without IPv6.
    if (['ENOENT', 'ESRCH', 'EINVAL'].includes(String(errnoOf(error)))) return '';
    throw error;
  }
}

/** Connections in the text of /proc/net/tcp and tcp6 (proc(5)) whose local port is listened on, loopback left out. */
export function countInbound(table: string): number {
  const rows = table
    .split('\n')
    .map((line) => /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line))
    .filter((match) => match !== null)
    .map(([, port = '', peer = '', state = '']) => ({ port, peer, state }));
  const ports = new Set(rows.filter(({ state }) => state === listening).map(({ port }) => port));
  return rows.filter(
    ({ port, peer, state }) => state !== listening && !over.has(state) && ports.has(port) && !isLoopback(peer),
  ).length;
}

/** Addresses are 32-bit words in the host's (little-endian) order. */
function isLoopback(address: string): boolean {
  const mapped = address.startsWith('0000000000000000FFFF0000') ? address.slice(24) : address;
  return (mapped.length === 8 && mapped.endsWith('7F')) || address === '00000000000000000000000001000000';
}
