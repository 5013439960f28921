import { totalmem } from 'node:os';
import { readKernelFile } from '#host';

/** proc(5) counts CPU time in clock ticks; USER_HZ is 100 on every Linux that Node runs on. */
const nsPerTick = 10_000_000;

/** What statistics tell of the whole machine. */
export interface Machine {
  /** User, nice, system, idle, iowait, irq, softirq and steal of all CPUs, in ns. */
  readonly systemNs: number;
  /** CPUs that are online. */
  readonly online: number;
  /** Bytes. */
  readonly memory: number;
}

/**
 * Reads /proc/stat (proc(5)) once for all that ask in one turn of the event loop: the kernel sums every interrupt of
 * every CPU up for it.
 */
export class MachineCounters {
  readonly #memory = totalmem();
  #known: Machine | undefined;

  read(): Machine {
    if (this.#known === undefined) {
      this.#known = { ...parseCpuTime(readKernelFile('/proc/stat') ?? ''), memory: this.#memory };
      setImmediate(() => {
        this.#known = undefined;
      });
    }
    return this.#known;
  }
}

/** Reads the `cpu` line, and counts those of single CPUs. */
export function parseCpuTime(text: string): Pick<Machine, 'systemNs' | 'online'> {
  const lines = text.split('\n');
  // user nice system idle iowait irq softirq steal; guest time is counted in user already.
  const fields = (lines[0] ?? '').trim().split(/\s+/).slice(1, 9);
  const ticks = fields.reduce((sum, field) => sum + Number(field), 0);
  return { systemNs: ticks * nsPerTick, online: lines.filter((line) => /^cpu\d/.test(line)).length };
}
