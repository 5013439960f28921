import { messageOf } from '#base';
import type { Processes } from '#host';
import { findProgram } from './find-program.ts';

/**
 * Why this host makes no checkpoints, in words for the user: no CRIU, or a CRIU that cannot work with this kernel (its
 * own words, from `criu check`), or, where it could, that the engine does not use it.
 */
export async function whyNoCheckpoints(processes: Pick<Processes, 'run'>): Promise<string> {
  const criu = await findProgram('criu');
  if (criu === undefined) return 'CRIU is not installed';
  const signal = AbortSignal.timeout(checkTimeout);
  try {
    const { code, stdout, stderr } = await processes.run(criu, ['check'], { signal });
    if (code === 0) return 'this engine does not use CRIU yet';
    return `CRIU does not work with this kernel: ${firstLine(stderr) || firstLine(stdout) || `exit code ${code}`}`;
  } catch (error) {
    return `CRIU cannot be asked what it can: ${messageOf(error)}`;
  }
}

/** ms; it takes some ten. */
const checkTimeout = 10_000;

const firstLine = (text: string) => text.trim().split('\n')[0] ?? '';
