import { closeSync } from 'node:fs';
import { lstat, mkdir, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isBerthError, notFound, unavailable } from '#base';
import type { Mounts } from '../host.ts';
import type { HostPlace, HostTrees } from '../host-trees.ts';
import type { TreeAnswer, TreeQuestion } from './host-tree-worker.ts';
import { checkAsync, libc } from './libc.ts';
import { mountFlags } from './mount-options.ts';
import { systemCalls } from './system-calls.ts';

const atCurrentDirectory = -100;
const moveEmptyPath = 4;

/**
 * Reaches the host's mount namespace through the open descriptor `namespaceFd`; without one this process lives in it. A
 * namespace is a property of a thread: each question goes to a thread of its own, which ends with it.
 */
export function createHostTrees(options: { namespaceFd: number | undefined; mounts: Mounts }): HostTrees {
  return new LinuxHostTrees(options);
}

class LinuxHostTrees implements HostTrees {
  readonly #namespaceFd: number | undefined;
  readonly #mounts: Mounts;

  constructor(options: { namespaceFd: number | undefined; mounts: Mounts }) {
    this.#namespaceFd = options.namespaceFd;
    this.#mounts = options.mounts;
  }

  async locate(path: string): Promise<HostPlace> {
    return (await this.#ask({ path })).place;
  }

  async attach(path: string, target: string, { recursive }: { readonly recursive: boolean }): Promise<void> {
    const { fd, isDirectory } = await this.#ask({ path, clone: { recursive } });
    if (fd === undefined) throw unavailable(`open_tree ${path}: no tree`);
    try {
      await mkdir(isDirectory ? target : dirname(target), { recursive: true, mode: 0o711 });
      if (!isDirectory) await writeFile(target, '');
      await checkAsync(
        `mount ${path} on ${target}`,
        libc.moveMount,
        systemCalls.moveMount,
        fd,
        '',
        atCurrentDirectory,
        target,
        moveEmptyPath,
      );
    } finally {
      closeSync(fd);
    }
  }

  async detach(target: string): Promise<void> {
    try {
      // Private first: unmounting a shared tree would unmount what lies below it on the host too.
      const flags = mountFlags.PRIVATE | mountFlags.REC;
      await checkAsync(`make ${target} private`, libc.mount, 'none', target, null, flags, null);
    } catch (error) {
      const errno = isBerthError(error) ? error.details.errno : undefined;
      if (errno === 'ENOENT') return;
      // EINVAL: not a mount point (mount(2)).
      if (errno !== 'EINVAL') throw error;
    }
    await this.#mounts.unmount(target, { detach: true });
    // Never what is in it: were it still mounted, that would be the host's.
    await ((await lstat(target)).isDirectory() ? rmdir(target) : unlink(target));
  }

  async #ask(question: Omit<TreeQuestion, 'namespaceFd'>): Promise<Extract<TreeAnswer, { place: HostPlace }>> {
    const workerData: TreeQuestion = { ...question, namespaceFd: this.#namespaceFd };
    // The name as emitted: the compiler rewrites import specifiers, not URLs.
    const worker = new Worker(new URL('./host-tree-worker.js', import.meta.url), { workerData });
    const answer = await new Promise<TreeAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(unavailable(`mounts of the host at ${question.path}: no answer`)));
    });
    if ('place' in answer) return answer;
    if (answer.errno === 'ENOENT' || answer.errno === 'ENOTDIR') {
      throw notFound(`${question.path}: no such file or directory`);
    }
    throw unavailable(answer.message, { details: { errno: answer.errno } });
  }
}
