import { readFile, stat } from 'node:fs/promises';
import { errnoOf, messageOf } from '#base';

/** How the loader sees the disk: a role, so that tests and other callers can bring their own files. */
export interface SourceReader {
  /** The text of the file at the absolute `path`. Rejects with a system error. */
  read(path: string): Promise<string>;
  /** What is at the absolute `path`. */
  kind(path: string): Promise<'file' | 'directory' | 'missing'>;
}

/** Reads from the machine's file system. */
export const diskReader: SourceReader = {
  read: (path) => readFile(path, 'utf8'),
  async kind(path) {
    try {
      return (await stat(path)).isDirectory() ? 'directory' : 'file';
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
      throw error;
    }
  },
};

/** What docker compose says when it cannot read `path`, because of `error`. */
export function unreadable(path: string, error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return `open ${path}: no such file or directory`;
  if (errnoOf(error) === 'EISDIR') return `read ${path}: is a directory`;
  return `open ${path}: ${messageOf(error)}`;
}
