/** Flags of mount(2) by their bit (sys/mount.h). */
export const mountFlags = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  SYNCHRONOUS: 0x10,
  REMOUNT: 0x20,
  MANDLOCK: 0x40,
  DIRSYNC: 0x80,
  NOSYMFOLLOW: 0x100,
  NOATIME: 0x400,
  NODIRATIME: 0x800,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  SILENT: 0x8000,
  UNBINDABLE: 0x20000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  SHARED: 0x100000,
  RELATIME: 0x200000,
  I_VERSION: 0x800000,
  STRICTATIME: 0x1000000,
  LAZYTIME: 0x2000000,
} as const;

const f = mountFlags;

/** Words of mount(8) that set bits. */
const setting: Readonly<Record<string, number>> = {
  ro: f.RDONLY,
  nosuid: f.NOSUID,
  nodev: f.NODEV,
  noexec: f.NOEXEC,
  sync: f.SYNCHRONOUS,
  remount: f.REMOUNT,
  mand: f.MANDLOCK,
  dirsync: f.DIRSYNC,
  nosymfollow: f.NOSYMFOLLOW,
  noatime: f.NOATIME,
  nodiratime: f.NODIRATIME,
  relatime: f.RELATIME,
  strictatime: f.STRICTATIME,
  lazytime: f.LAZYTIME,
  silent: f.SILENT,
  iversion: f.I_VERSION,
  bind: f.BIND,
  rbind: f.BIND | f.REC,
  move: f.MOVE,
};

/** Words of mount(8) that clear bits; `defaults` and words that only concern /etc/fstab clear nothing. */
const clearing: Readonly<Record<string, number>> = {
  rw: f.RDONLY,
  suid: f.NOSUID,
  dev: f.NODEV,
  exec: f.NOEXEC,
  async: f.SYNCHRONOUS,
  nomand: f.MANDLOCK,
  symfollow: f.NOSYMFOLLOW,
  atime: f.NOATIME,
  diratime: f.NODIRATIME,
  norelatime: f.RELATIME,
  nostrictatime: f.STRICTATIME,
  nolazytime: f.LAZYTIME,
  loud: f.SILENT,
  noiversion: f.I_VERSION,
  defaults: 0,
  auto: 0,
  noauto: 0,
  nofail: 0,
  _netdev: 0,
};

/** Words that change how mounts propagate; each needs a mount(2) call of its own (mount_namespaces(7)). */
const propagating: Readonly<Record<string, number>> = {
  private: f.PRIVATE,
  rprivate: f.PRIVATE | f.REC,
  slave: f.SLAVE,
  rslave: f.SLAVE | f.REC,
  shared: f.SHARED,
  rshared: f.SHARED | f.REC,
  unbindable: f.UNBINDABLE,
  runbindable: f.UNBINDABLE | f.REC,
};

/** What mount(2) takes in place of mount(8)'s words. */
export interface ParsedMountOptions {
  /** Bits of {@link mountFlags}. */
  readonly flags: number;
  /** Words meant for the file system, joined by commas. */
  readonly data: string;
  /** Flags of the calls that set propagation afterwards, in order. */
  readonly propagation: readonly number[];
}

/** Sorts mount(8) option words into flags, propagation and file system data; a later word wins over an earlier one. */
export function parseMountOptions(options: readonly string[]): ParsedMountOptions {
  let flags = 0;
  const data: string[] = [];
  const propagation: number[] = [];
  for (const word of options) {
    const set = setting[word];
    const clear = clearing[word];
    const spread = propagating[word];
    if (set !== undefined) flags |= set;
    else if (clear !== undefined) flags &= ~clear;
    else if (spread !== undefined) propagation.push(spread);
    else if (word !== '') data.push(word);
  }
  return { flags, data: data.join(','), propagation };
}
