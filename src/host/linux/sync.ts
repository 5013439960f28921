import { open } from 'node:fs/promises';
import { checkAsync, libc } from './libc.ts';

/** Writes out all that is dirty on the file system that holds `path` (syncfs(2)), on a thread of the pool. */
export async function syncFileSystem(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await checkAsync(`sync the file system of ${path}`, libc.syncfs, file.fd);
  } finally {
    await file.close();
  }
}
