import { goMode } from './file-list.ts';

/** By the bits of stat(2) for the kind of a file; regular files have none in Go. */
const kinds: ReadonlyMap<number, number> = new Map([
  [0o040000, goMode.directory],
  [0o120000, goMode.symlink],
  [0o010000, goMode.namedPipe],
  [0o140000, goMode.socket],
  [0o060000, goMode.device],
  [0o020000, goMode.device + goMode.characterDevice],
]);

/** A `st_mode` of stat(2) as Go's `os.FileMode`, an unsigned number of 32 bits. */
export function goModeOf(mode: number): number {
  const special =
    ((mode & 0o4000) === 0 ? 0 : goMode.setuid) +
    ((mode & 0o2000) === 0 ? 0 : goMode.setgid) +
    ((mode & 0o1000) === 0 ? 0 : goMode.sticky);
  return (kinds.get(mode & 0o170000) ?? 0) + special + (mode & 0o777);
}
