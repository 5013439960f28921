import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { BerthError, errnoOf, invalid, messageOf, unavailable } from '#base';
import { type FileTime, fileTypes, type HostPath, makeNode, setDescriptorTimes, setFileTimes, setXattr } from '#host';
import { toHostPath, toText } from './byte-name.ts';
import { baseOf, type EntryPath, entryPath, parentOf } from './entry-path.ts';
import { Parents } from './parents.ts';
import { removeTree } from './remove-tree.ts';
import type { TarEntry } from './tar-entry.ts';
import type { TarSink } from './tar-reader.ts';

/** What {@link TreeWriter} does with entries beyond making them. */
export interface TreeWriterPolicy {
  /** Directory that entries start from, absolute as this thread sees it. */
  readonly base: string;
  /** Refuse parents that climb above the root by symlinks (layers), or let the kernel clamp them (containers). */
  readonly strict: boolean;
  /** Leave the base directory itself as it is when the archive has an entry for it. */
  readonly keepBase: boolean;
  readonly noOverwriteDirNonDir: boolean;
  /** Owner of everything made; undefined keeps the archive's. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Called for a name that is in the way of a new one, before it is removed. */
  readonly onReplace?: (path: string, old: Stats) => void;
  /** Called for a non-directory in the place of a parent; true when it made room. */
  readonly replaceBlocker?: (path: string) => boolean;
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const specialBits = 0o7000;
const overlayPrivate = /^(?:trusted|user)\.overlay\./;
/** Access list that a directory gives to what is made in it (acl(5)). */
const inheritedList = 'system.posix_acl_default';
/** Faults that come from what the archive asks for, not from the machine. */
const archiveFaults: ReadonlySet<string> = new Set(['ENAMETOOLONG', 'EINVAL', 'ENOTDIR', 'ELOOP', 'EISDIR', 'EPERM']);

/**
 * Makes the entries of an archive as files, inside the root that this thread has (`ThreadRoot`). Owners, modes, times
 * in nanoseconds and extended attributes are kept; directory times are set by {@link TreeWriter.close}, when nothing
 * is written into them any more. An existing name gives way unless both are directories.
 */
export class TreeWriter implements TarSink {
  readonly #policy: TreeWriterPolicy;
  readonly #parents: Parents;
  readonly #directoryTimes = new Map<string, FileTime>();
  /** What directories pass on to what is made in them: set when everything is. */
  readonly #inheritedLists = new Map<string, Buffer>();
  #entry: TarEntry | undefined;
  #path: HostPath = '';
  #fd = -1;

  constructor(policy: TreeWriterPolicy) {
    this.#policy = policy;
    this.#parents = new Parents(policy.base, {
      strict: policy.strict,
      ...(policy.replaceBlocker === undefined ? {} : { replaceBlocker: policy.replaceBlocker }),
    });
  }

  /** The place of `path` on disk, its parents resolved and made. For names that are handled by the caller. */
  locate(path: EntryPath): string {
    if (path === '') return this.#parents.pathOf('', path) || '/';
    return `${this.#parents.pathOf(parentOf(path), path)}/${baseOf(path)}`;
  }

  begin(entry: TarEntry): void {
    const name = entryPath(entry.name);
    this.#guarded(name, () => {
      if (name === '') this.#makeBase(entry);
      else this.#make(entry, this.locate(name));
    });
  }

  data(bytes: Buffer, position: number): void {
    if (this.#fd < 0) return;
    let done = 0;
    while (done < bytes.length) {
      done += this.#guarded(this.#entry?.name ?? '', () =>
        writeSync(this.#fd, bytes, done, bytes.length - done, position + done),
      );
    }
  }

  end(): void {
    const entry = this.#entry;
    if (this.#fd < 0 || entry === undefined) return;
    this.#guarded(entry.name, () => {
      if (entry.sparse !== undefined) ftruncateSync(this.#fd, entry.size);
      const owner = this.#policy.owner ?? entry;
      fchownSync(this.#fd, owner.uid, owner.gid);
      if ((entry.mode & specialBits) !== 0) fchmodSync(this.#fd, entry.mode);
      if (entry.xattrs !== undefined) setXattrs(this.#path, entry.xattrs);
      setDescriptorTimes(this.#fd, entry.mtime, entry.mtime);
    });
    this.#closeFile();
  }

  /** Sets the default access lists and the times of the directories. Call once, after the last entry. */
  close(): void {
    for (const [path, time] of this.#directoryTimes) {
      const list = this.#inheritedLists.get(path);
      try {
        if (list !== undefined) setXattrs(toHostPath(path), new Map([[inheritedList, list]]));
        setFileTimes(toHostPath(path), time, time);
      } catch (error) {
        if (!(error instanceof BerthError) || !['ENOENT', 'ENOTDIR'].includes(String(error.details.errno))) throw error;
      }
    }
    this.#directoryTimes.clear();
  }

  /** Gives up in the middle of an entry. */
  abort(): void {
    this.#closeFile();
  }

  #closeFile(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#entry = undefined;
  }

  /** Runs file calls of the entry `name` and tells its name, and whose fault it is, when one fails. */
  #guarded<T>(name: EntryPath, body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof BerthError && error.details.errno === undefined) throw error;
      const code = errnoOf(error) ?? (error instanceof BerthError ? String(error.details.errno) : '');
      const make = archiveFaults.has(code) ? invalid : unavailable;
      throw make(`cannot extract "${toText(name)}": ${messageOf(error)}`, { cause: error, details: { errno: code } });
    }
  }

  #makeBase(entry: TarEntry): void {
    if (entry.type !== 'directory') throw invalid(`bad archive: entry "${toText(entry.name)}" is not a directory`);
    if (this.#policy.keepBase) return;
    this.#finishDirectory(entry, this.locate(''));
  }

  #make(entry: TarEntry, path: string): void {
    const hostPath = toHostPath(path);
    switch (entry.type) {
      case 'file':
        this.#fd = this.#insist(entry, path, () => openSync(hostPath, createFlags, entry.mode & 0o777));
        this.#entry = entry;
        this.#path = hostPath;
        return;
      case 'directory':
        this.#makeDirectory(entry, path);
        return;
      case 'link':
        this.#makeLink(entry, path);
        return;
      case 'symlink':
        if (entry.linkName === '') throw invalid(`bad archive: symlink "${toText(entry.name)}" without a target`);
        this.#insist(entry, path, () => symlinkSync(toHostPath(entry.linkName), hostPath));
        break;
      default:
        this.#insist(entry, path, () => makeNode(hostPath, nodeMode(entry), entry));
    }
    const owner = this.#policy.owner ?? entry;
    lchownSync(hostPath, owner.uid, owner.gid);
    if (entry.type !== 'symlink' && (entry.mode & specialBits) !== 0) chmodSync(hostPath, entry.mode);
    if (entry.xattrs !== undefined) setXattrs(hostPath, entry.xattrs);
    setFileTimes(hostPath, entry.mtime, entry.mtime);
  }

  #makeDirectory(entry: TarEntry, path: string): void {
    const hostPath = toHostPath(path);
    const old = lstatSync(hostPath, { throwIfNoEntry: false });
    const isThere = old?.isDirectory() ?? false;
    if (!isThere) {
      this.#insist(entry, path, () => mkdirSync(hostPath, { mode: entry.mode & 0o777 }));
    }
    this.#finishDirectory(entry, path);
  }

  #finishDirectory(entry: TarEntry, path: string): void {
    const hostPath = toHostPath(path);
    const owner = this.#policy.owner ?? entry;
    chownSync(hostPath, owner.uid, owner.gid);
    // Always: a directory takes the setgid bit from the one it is made in.
    chmodSync(hostPath, entry.mode);
    const { [inheritedList]: inherited, ...own } = Object.fromEntries(entry.xattrs ?? []);
    setXattrs(hostPath, new Map(Object.entries(own)));
    if (inherited !== undefined) this.#inheritedLists.set(path, inherited);
    this.#directoryTimes.set(path, entry.mtime);
  }

  #makeLink(entry: TarEntry, path: string): void {
    const target = entryPath(entry.linkName, 'hardlink target');
    const source = this.locate(target);
    if (source === path) return;
    if (lstatSync(toHostPath(source), { throwIfNoEntry: false })?.isDirectory() ?? true) {
      throw invalid(`bad archive: hard link "${toText(entry.name)}" to "${toText(target)}", which is no file in it`);
    }
    this.#insist(entry, path, () => linkSync(toHostPath(source), toHostPath(path)));
  }

  /** Runs `make`; when the name is taken, makes room and runs it once more. */
  #insist<T>(entry: TarEntry, path: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      const code = error instanceof BerthError ? error.details.errno : errnoOf(error);
      if (code !== 'EEXIST') throw error;
    }
    const old = lstatSync(toHostPath(path), { throwIfNoEntry: false });
    if (old !== undefined) {
      this.#refuseChangeOfKind(entry, path, old);
      this.#policy.onReplace?.(path, old);
      removeTree(path);
      this.#parents.forget();
      this.#directoryTimes.delete(path);
    }
    return make();
  }

  #refuseChangeOfKind(entry: TarEntry, path: string, old: Stats): void {
    if (!this.#policy.noOverwriteDirNonDir || old.isDirectory() === (entry.type === 'directory')) return;
    const [was, becomes] = old.isDirectory() ? ['directory', 'non-directory'] : ['non-directory', 'directory'];
    throw invalid(`cannot overwrite ${was} "${toText(path)}" with ${becomes} "${toText(this.#policy.base)}"`);
  }
}

function nodeMode(entry: TarEntry): number {
  const permissions = entry.mode & 0o777;
  if (entry.type === 'fifo') return fileTypes.fifo | permissions;
  return (entry.type === 'block' ? fileTypes.block : fileTypes.character) | permissions;
}

/**
 * Sets attributes as the archive has them. Those that steer overlayfs are the engine's own and never taken from
 * outside; those that the file system does not know, or not on this kind of file, are left out as Docker does.
 */
function setXattrs(path: HostPath, xattrs: ReadonlyMap<string, Buffer>): void {
  for (const [name, value] of xattrs) {
    if (overlayPrivate.test(name)) continue;
    try {
      setXattr(path, name, value);
    } catch (error) {
      const errno = error instanceof BerthError ? error.details.errno : undefined;
      if (errno !== 'ENOTSUP' && errno !== 'EOPNOTSUPP' && errno !== 'EPERM') throw error;
    }
  }
}
