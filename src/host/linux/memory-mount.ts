import { isBerthError } from '#base';
import type { Mounts } from '../host.ts';

/**
 * Mounts a tmpfs at `target` for what must never reach a disk: only root enters it, nothing in it runs, and where the
 * kernel can (Linux 6.4) it is not swapped out either. Its files take at most `size` bytes. Throws as `mounts.mount` does.
 */
export async function mountMemory(
  mounts: Pick<Mounts, 'mount'>,
  target: string,
  options: { size: number },
): Promise<void> {
  const words = ['nosuid', 'nodev', 'noexec', 'mode=700', `size=${options.size}`];
  const mount = (more: string[]) =>
    mounts.mount({ type: 'tmpfs', source: 'secrets', target, options: [...words, ...more] });
  try {
    await mount(['noswap']);
  } catch (error) {
    // An older kernel does not know the word.
    if (!isBerthError(error) || error.details.errno !== 'EINVAL') throw error;
    await mount([]);
  }
}
