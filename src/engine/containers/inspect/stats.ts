import { readKernelFile } from '#host';
import type { ContainerStats } from '../containers.ts';
import type { LiveContainer } from '../live-container.ts';
import { ownsNetwork } from '../start/open-network.ts';

/** Counters of a container now; without `current` when it does not run. */
export async function readStats(container: LiveContainer): Promise<ContainerStats> {
  const { id, name, task } = container;
  if (task === undefined) return { container: { id, name }, current: undefined, interfaces: {} };
  // It may end while we look.
  const current = await task.stats().catch(() => undefined);
  const interfaces = ownsNetwork(container) ? readInterfaces(task.pid) : {};
  return { container: { id, name }, current, interfaces };
}

const columns = ['bytes', 'packets', 'errors', 'dropped'];

function readInterfaces(pid: number): ContainerStats['interfaces'] {
  return parseInterfaces(readKernelFile(`/proc/${pid}/net/dev`) ?? '');
}

/** Reads /proc/PID/net/dev (proc(5)): eight receive columns, then eight transmit ones; the loopback is left out. */
export function parseInterfaces(text: string): ContainerStats['interfaces'] {
  const interfaces: Record<string, Record<string, number>> = {};
  for (const line of text.split('\n').slice(2)) {
    const [name = '', values = ''] = line.split(':').map((part) => part.trim());
    if (name === '' || name === 'lo') continue;
    const numbers = values.split(/\s+/).map(Number);
    const counters: Record<string, number> = {};
    for (const [index, column] of columns.entries()) {
      counters[`rx_${column}`] = numbers[index] ?? 0;
      counters[`tx_${column}`] = numbers[index + 8] ?? 0;
    }
    interfaces[name] = counters;
  }
  return interfaces;
}
