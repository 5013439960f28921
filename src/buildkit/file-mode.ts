/** Bits of Go's `os.FileMode` beside the nine permission bits. */
export const goMode = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  /** Set beside `device` for one that is read by characters. */
  character: 2 ** 21,
  sticky: 2 ** 20,
} as const;

const kinds: Readonly<Record<number, number>> = {
  9604: goMode.directory,
  21609: goMode.symlink,
  2401: goMode.fifo,
  26411: goMode.socket,
  14406: goMode.device,
  4802: goMode.device + goMode.character,
};

/** A `st_mode` of stat(2) as Go's `os.FileMode`, an unsigned number of 32 bits. */
export function goModeOf(mode: number): number {
  const special =
    ((mode & 0o4000) === 0 ? 0 : goMode.setuid) +
    ((mode & 0o2000) === 0 ? 0 : goMode.setgid) +
    ((mode & 0o1000) === 0 ? 0 : goMode.sticky);
  return (kinds[mode & 0o170000] ?? 0) + special + (mode & 0o777);
}
