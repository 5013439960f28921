import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { conflict } from '#base';

const library = koffi.load('libc.so.6');
const flock = library.func('int flock(int fd, int operation)');
const fcntl = library.func('int fcntl(int fd, int command, ...)');

const LOCK_EX = 2;
const LOCK_NB = 4;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * Takes the exclusive flock(2) of `path` (made if missing) until {@link FileLock.release} or the end of this process,
 * however it ends. Throws `conflict` with `taken` when another process has it.
 */
export function lockFile(path: string, taken: string): FileLock {
  const fd = openSync(path, 'a', 0o600);
  if (flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    closeSync(fd);
    throw conflict(taken);
  }
  return { release: () => closeSync(fd) };
}

/** A held lock. */
export interface FileLock {
  release(): void;
}

/** Keeps an inherited file descriptor from reaching the programs that this process starts. */
export function setCloseOnExec(fd: number): void {
  fcntl(fd, F_SETFD, 'int', FD_CLOEXEC);
}
