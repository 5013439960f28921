import { constants } from 'node:fs';

const types: readonly (readonly [number, number])[] = [
  [constants.S_IFDIR, 2 ** 31],
  [constants.S_IFLNK, 2 ** 27],
  [constants.S_IFBLK, 2 ** 26],
  [constants.S_IFIFO, 2 ** 25],
  [constants.S_IFSOCK, 2 ** 24],
  // Go marks a character device as a device too.
  [constants.S_IFCHR, 2 ** 26 + 2 ** 21],
];

/** The bits of Go's os.FileMode (package io/fs, constants Mode*) for a mode of stat(2): what Docker's path stat carries. */
export function goFileMode(mode: number): number {
  const type = types.find(([bits]) => (mode & constants.S_IFMT) === bits)?.[1] ?? 0;
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return type + special + (mode & 0o777);
}
