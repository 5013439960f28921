import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ContainerState } from '#api-types';
import { BerthError, conflict, isBerthError, messageOf } from '#base';
import { type Client, demultiplex } from '#client';
import type { ContainerWaits } from './container-waits.ts';

/** What is proven, and how long it may take (seconds). */
export interface Proof {
  readonly target: { readonly id: string; readonly name: string };
  readonly timeout: number;
  readonly monitor: number;
  readonly signal?: AbortSignal | undefined;
}

type Verdict = 'healthy' | 'unchecked';

/** Lines of output that an error shows of a container that ended. */
const shownLines = 5;

/**
 * Waits until a container is healthy; without a health check until it has run for `monitor` seconds. Throws `conflict`
 * with the last of its output or the failed probe when it ends, restarts, gets unhealthy or takes longer than
 * `timeout`, `canceled` when the signal fires.
 */
export async function proveContainer(client: Client, waits: ContainerWaits, proof: Proof): Promise<void> {
  const { target, timeout, monitor, signal } = proof;
  const late = AbortSignal.timeout(timeout * 1000);
  const ends = signal === undefined ? [late] : [late, signal];
  try {
    const verdict = await waits.until(target, (state, restarts) => judge(state, restarts), AbortSignal.any(ends));
    if (verdict === 'unchecked') await runsFor(waits, target, { monitor, signal });
  } catch (error) {
    if (isBerthError(error, 'canceled') && late.aborted && signal?.aborted !== true) {
      throw conflict(`container ${target.name} was not ready after ${timeout} s`);
    }
    if (!isBerthError(error, 'conflict')) throw error;
    const output = await lastOutput(client, target.id);
    const why = messageOf(error).replace(/^container/, `container ${target.name}`);
    throw new BerthError('conflict', output === '' ? why : `${why}; its last output: ${output}`, { cause: error });
  }
}

function judge(state: ContainerState, restarts: number): Verdict | undefined {
  const { Status, ExitCode, Health } = state;
  if (Status === 'exited' || Status === 'dead' || Status === 'restarting' || restarts > 0) {
    throw conflict(`container exited (${ExitCode})`);
  }
  const health = Health?.Status ?? 'none';
  if (health === 'healthy') return 'healthy';
  if (health === 'unhealthy') {
    const said = Health?.Log?.at(-1)?.Output.trim() ?? '';
    throw conflict(`container is unhealthy${said === '' ? '' : `: ${said}`}`);
  }
  return health === 'none' && Status === 'running' ? 'unchecked' : undefined;
}

/** Resolves when nothing bad has happened to it for `monitor` seconds. */
async function runsFor(
  waits: ContainerWaits,
  target: Proof['target'],
  { monitor, signal }: Pick<Proof, 'monitor' | 'signal'>,
): Promise<void> {
  const enough = AbortSignal.timeout(monitor * 1000);
  const ends = signal === undefined ? [enough] : [enough, signal];
  const watched = waits.until(
    target,
    (state, restarts) => {
      judge(state, restarts);
      return undefined;
    },
    AbortSignal.any(ends),
  );
  await watched.catch((error: unknown) => {
    if (!isBerthError(error, 'canceled') || signal?.aborted) throw error;
  });
}

async function lastOutput(client: Client, id: string): Promise<string> {
  try {
    const { Config } = await client.containers.inspect(id);
    const options = { stdout: true, stderr: true, tail: String(shownLines) };
    const source = await client.containers.logs(id, options);
    if (Config.Tty) return (await text(source)).trim();
    const output = new PassThrough();
    const said = text(output);
    await demultiplex(source, { stdout: output, stderr: output });
    output.end();
    return (await said).trim();
  } catch {
    // It is only there to help; without a log that can be read the error says less.
    return '';
  }
}
