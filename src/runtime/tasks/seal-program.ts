import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Mounts } from '#host';

/** How to run a program so that no container can write to it. */
export interface SealedProgram {
  readonly path: string;
  /** To be added to its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Shows `program` at `target` through a read-only mount, in this process's mount namespace, anew where there is one.
 *
 * A process that enters a container can be reached there as /proc/PID/exe, so crun and runc must not run from a file that
 * the container's root could write (CVE-2019-5736). Each run therefore makes a read-only mount of itself, executes itself
 * from there and drops the mount: 3-5 ms. Where they find that they run from a read-only mount, and the environment says
 * that this is meant, they go on at once, with the same protection.
 */
export async function sealProgram(
  program: string,
  target: string,
  mounts: Pick<Mounts, 'mount' | 'unmount'>,
): Promise<SealedProgram> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  // A program that was upgraded is another file: what an earlier daemon mounted would be the old one.
  await mounts.unmount(target, { detach: true });
  await writeFile(target, '');
  await mounts.mount({ type: 'none', source: program, target, options: ['bind', 'ro'] });
  return { path: target, env: { _LIBCONTAINER_CLONED_BINARY: '1' } };
}
