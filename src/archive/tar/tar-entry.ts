import type { FileTime } from '#host';
import type { ByteName } from './byte-name.ts';

/** What an entry makes. */
export type TarEntryType = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** Where the bytes of a sparse file belong: pieces of the file in order of the data, all in bytes. */
export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
}

/** One member of a tar archive, all extended headers applied. */
export interface TarEntry {
  /** As written in the archive. */
  name: ByteName;
  type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky, octal 0 to 07777. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of the file made; with `sparse` more than the archive holds. 0 for all but files. */
  size: number;
  mtime: FileTime;
  /** Target of a symlink, or the earlier member that a link is another name of. */
  linkName: ByteName;
  major: number;
  minor: number;
  /** Extended attributes by full name (`security.capability`), values raw; undefined when there are none. */
  xattrs?: Map<string, Buffer>;
  sparse?: readonly SparsePiece[];
}
