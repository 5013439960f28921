import { conflict, invalid } from '#base';
import type { Processes } from '#host';
import type { LiveContainer } from '../live-container.ts';

/** What `ps` printed, only rows of the container. */
export interface ProcessTable {
  readonly titles: string[];
  readonly processes: string[][];
}

/** The container's processes as the host's `ps` shows them. Throws `conflict` when it does not run, `invalid` with ps's words. */
export async function listProcesses(
  processes: Processes,
  container: LiveContainer,
  psArgs: string,
): Promise<{ titles: string[]; processes: string[][] }> {
  const { task } = container;
  if (task === undefined) throw conflict(`container ${container.id} is not running`);
  const pids = await task.pids();
  const args = psArgs.trim() === '' ? ['-ef'] : psArgs.trim().split(/\s+/);
  // Letting ps choose the pids is cheaper than listing the whole host, but not all of its options allow it.
  let result = await processes.run('ps', [...args, '-q', pids.join(',')]);
  if (result.code !== 0) result = await processes.run('ps', args);
  if (result.code !== 0) throw invalid(`ps: ${result.stderr.trim().split('\n')[0] ?? `exit ${result.code}`}`);
  return parseProcesses(result.stdout, new Set(pids));
}

/** Reads ps's table. Throws `invalid` when it has no PID column to choose rows by. */
function parseProcesses(text: string, pids: ReadonlySet<number>): ProcessTable {
  const [head = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const titles = head.trim().split(/\s+/);
  const column = titles.indexOf('PID');
  if (column < 0) throw invalid("Couldn't find PID field in ps output");
  const rows = lines.map((line) => {
    const words = line.trim().split(/\s+/);
    const last = titles.length - 1;
    return [...words.slice(0, last), words.slice(last).join(' ')];
  });
  return { titles, processes: rows.filter((row) => pids.has(Number(row[column]))) };
}
