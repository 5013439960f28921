import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '#base';

/** Where the rotated log `index` is; 0 is the file being written, 1 the newest before it. */
export function rotatedPath(path: string, index: number): string {
  return index === 0 ? path : `${path}.${index}`;
}

/** Opens for reading; undefined where there is no such file. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A log's files, opened oldest first, so that a rotation meanwhile changes nothing for the reader. */
export async function openLogFiles(path: string): Promise<FileHandle[]> {
  const files: FileHandle[] = [];
  const seen = new Set<number>();
  // Newest first: a rotation while this runs shows a file twice rather than not at all.
  for (let index = 0; ; index++) {
    const file = await openIfThere(rotatedPath(path, index));
    if (!file) {
      if (index === 0) continue; // between the rename and conmon's new file there is none
      break;
    }
    const { ino } = await file.stat();
    if (seen.has(ino)) await file.close();
    else files.unshift(file);
    seen.add(ino);
  }
  return files;
}
