import { invalid, unavailable } from '#base';
import { type FileStat, type Packet, packetType } from './session-methods.ts';

/** Bits of Go's `os.FileMode` beyond the permissions. */
export const goMode = {
  directory: 0x80000000,
  symlink: 0x08000000,
  device: 0x04000000,
  namedPipe: 0x02000000,
  socket: 0x01000000,
  setuid: 0x00800000,
  setgid: 0x00400000,
  characterDevice: 0x00200000,
  sticky: 0x00100000,
  irregular: 0x00080000,
} as const;

const kindBits =
  goMode.directory | goMode.symlink | goMode.device | goMode.namedPipe | goMode.socket | goMode.irregular;

/** Whether any of `bits` is set in a mode. */
export function hasMode(mode: number, bits: number): boolean {
  return (mode & bits) !== 0;
}

/** A file of the list, and the number it is asked for by. */
export interface ListedFile {
  readonly id: number;
  readonly stat: FileStat;
}

/** True for a file whose contents are sent; what is a hard link to one has none of its own. */
export function hasContents({ mode, linkname }: FileStat): boolean {
  return !hasMode(mode, kindBits) && linkname === '';
}

/** More files than this are no source tree, nor do they fit into memory. */
const mostFiles = 2_000_000;
/** Characters of all paths, and bytes of all extended attributes. */
const mostListBytes = 256 << 20;

/**
 * Reads the list that a file sync begins with. Throws `invalid` for paths that are absolute, unclean or lead out, that
 * are not in order (each once, directories before what is in them, compared component by component), or whose parent
 * is no directory of the list; and for lists without bounds.
 */
export async function readFileList(packets: AsyncIterator<Packet>): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  const check = new ListCheck();
  for (;;) {
    const next = await packets.next();
    if (next.done) throw unavailable('the file sync ended inside the list of files');
    const { type, stat, data } = next.value;
    if (type === packetType.error) throw unavailable(Buffer.from(data).toString('utf8'));
    if (type !== packetType.stat) throw invalid(`file sync: a packet of type ${type} inside the list of files`);
    if (stat === undefined || stat === null) return files;
    const full = completeStat(stat);
    check.take(full);
    files.push({ id: files.length, stat: full });
    if (files.length > mostFiles) throw invalid(`file sync: more than ${mostFiles} files`);
  }
}

function completeStat(stat: Partial<FileStat>): FileStat {
  const { path = '', linkname = '', xattrs = {} } = stat;
  const { mode = 0, uid = 0, gid = 0, size = 0, modTime = 0, devmajor = 0, devminor = 0 } = stat;
  if (!Number.isSafeInteger(size) || size < 0) throw invalid(`file sync: ${quoted(path)} has the size ${size}`);
  return { path, mode, uid, gid, size, modTime, linkname, devmajor, devminor, xattrs };
}

/** Checks files in the order of the list. */
class ListCheck {
  /** Components of the last path. */
  #last: string[] = [];
  /** How many of them are directories that the next file may lie in. */
  #open = 0;
  #bytes = 0;

  take({ path, mode, linkname, xattrs }: FileStat): void {
    this.#bytes += path.length + linkname.length + 100;
    for (const [name, value] of Object.entries(xattrs)) this.#bytes += name.length + value.length;
    if (this.#bytes > mostListBytes) throw invalid('file sync: the list of files is too large');
    const parts = cleanParts(path);
    if (!hasMode(mode, goMode.symlink) && linkname !== '') cleanParts(linkname);
    const shared = this.#sharedWith(parts);
    if (shared === parts.length || !isAfter(parts[shared], this.#last[shared])) {
      throw invalid(`file sync: ${quoted(path)} is out of order`);
    }
    if (shared < parts.length - 1 || shared > this.#open) {
      throw invalid(`file sync: ${quoted(path)} does not lie in a directory of the list`);
    }
    this.#last = parts;
    this.#open = hasMode(mode, goMode.directory) ? parts.length : parts.length - 1;
  }

  #sharedWith(parts: readonly string[]): number {
    let shared = 0;
    while (shared < parts.length && parts[shared] === this.#last[shared]) shared++;
    return shared;
  }
}

function isAfter(part: string | undefined, before: string | undefined): boolean {
  if (part === undefined || before === undefined) return part !== undefined;
  return Buffer.compare(Buffer.from(part), Buffer.from(before)) > 0;
}

function cleanParts(path: string): string[] {
  const parts = path.split('/');
  if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw invalid(`file sync: ${quoted(path)} is not a path inside the tree`);
  }
  return parts;
}

function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
