import { invalid } from '#base';
import { goMode, hasMode } from './file-list.ts';
import type { FileStat } from './session-methods.ts';

const block = 512;
const flags = { file: '0', link: '1', symlink: '2', character: '3', device: '4', directory: '5', fifo: '6', pax: 'x' };

/** What ends a tar: two empty blocks. */
export const endOfTar = Buffer.alloc(2 * block);

/** Zeros from the end of contents of `size` bytes to the end of their last block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/**
 * The header blocks of a file as file sync describes it: ustar, with a pax header before it for what that cannot hold.
 * Undefined for sockets and what is no file of a tar. Throws `invalid` for attributes without a proper name.
 */
export function tarHeader(stat: FileStat): Buffer | undefined {
  const flag = flagOf(stat);
  if (flag === undefined) return undefined;
  const name = flag === flags.directory ? `${stat.path}/` : stat.path;
  const size = flag === flags.file ? stat.size : 0;
  const records: [key: string, value: Uint8Array][] = [['mtime', Buffer.from((stat.modTime / 1e9).toFixed(6))]];
  if (Buffer.byteLength(name) > 100) records.push(['path', Buffer.from(name)]);
  if (Buffer.byteLength(stat.linkname) > 100) records.push(['linkpath', Buffer.from(stat.linkname)]);
  if (size > 0o77777777777) records.push(['size', Buffer.from(String(size))]);
  for (const key of ['uid', 'gid'] as const) {
    if (stat[key] > 0o7777777) records.push([key, Buffer.from(String(stat[key]))]);
  }
  for (const [key, value] of Object.entries(stat.xattrs)) {
    if (!/^[\w.-]{1,255}$/.test(key)) throw invalid(`file sync: ${stat.path} has an attribute of a name not allowed`);
    records.push([`SCHILY.xattr.${key}`, value]);
  }
  const pax = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const common = { mode: 0o644, uid: 0, gid: 0, seconds: 0, linkname: '', devmajor: 0, devminor: 0 };
  return Buffer.concat([
    ustar({ ...common, name: 'pax', flag: flags.pax, size: pax.length }),
    pax,
    tarPadding(pax.length),
    ustar({
      ...stat,
      mode: permissions(stat.mode),
      name,
      flag,
      size,
      seconds: Math.max(0, Math.floor(stat.modTime / 1e9)),
    }),
  ]);
}

function flagOf({ mode, linkname }: FileStat): string | undefined {
  if (hasMode(mode, goMode.directory)) return flags.directory;
  if (hasMode(mode, goMode.symlink)) return flags.symlink;
  if (hasMode(mode, goMode.namedPipe)) return flags.fifo;
  if (hasMode(mode, goMode.device)) return hasMode(mode, goMode.characterDevice) ? flags.character : flags.device;
  if (hasMode(mode, goMode.socket | goMode.irregular)) return undefined;
  return linkname === '' ? flags.file : flags.link;
}

function permissions(mode: number): number {
  const special =
    (hasMode(mode, goMode.setuid) ? 0o4000 : 0) |
    (hasMode(mode, goMode.setgid) ? 0o2000 : 0) |
    (hasMode(mode, goMode.sticky) ? 0o1000 : 0);
  return (mode & 0o777) | special;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + String(rest.length).length;
  if (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** One block; numbers that do not fit are in the pax header and zero here. */
function ustar(entry: {
  readonly name: string;
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly seconds: number;
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
}): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, offset: number, digits: number) => {
    const text = value.toString(8).padStart(digits, '0');
    bytes.write(text.length > digits ? '0'.repeat(digits) : text, offset, 'latin1');
  };
  Buffer.from(entry.name).copy(bytes, 0, 0, 100);
  octal(entry.mode, 100, 7);
  octal(entry.uid, 108, 7);
  octal(entry.gid, 116, 7);
  octal(entry.size, 124, 11);
  octal(entry.seconds, 136, 11);
  bytes.write(entry.flag, 156, 'latin1');
  Buffer.from(entry.linkname).copy(bytes, 157, 0, 100);
  bytes.write('ustar\x0000', 257, 'latin1');
  octal(entry.devmajor, 329, 7);
  octal(entry.devminor, 337, 7);
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
