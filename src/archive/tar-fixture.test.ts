import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeHeader } from './tar/tar-encode.ts';
import type { TarEntry } from './tar/tar-entry.ts';

/** A directory for one test, removed at its end. */
export function scratch(): { readonly path: string; at(...names: string[]): string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'archive-test-'));
  return {
    path,
    at: (...names) => join(path, ...names),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** An entry with plain values where `fields` gives none. */
export function entry(name: string, fields: Partial<TarEntry> = {}): TarEntry {
  return {
    name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
    linkName: '',
    major: 0,
    minor: 0,
    ...fields,
  };
}

/** One member: its entry, and its content where it is a file. */
export type Member = readonly [TarEntry, content?: string];

/** The members as an archive, with the end mark. */
export function tarOf(...members: readonly Member[]): Buffer {
  const parts = members.map(([member, content = '']) => {
    const data = Buffer.from(content);
    const size = member.type === 'file' && member.size === 0 ? data.length : member.size;
    const padding = Buffer.alloc(-data.length & 511);
    return Buffer.concat([encodeHeader({ ...member, size }), data, padding]);
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** What `find` tells of a tree: path, type, mode, owner, size, time in nanoseconds, link target and link count. */
export function listing(directory: string, format = '%P %y %m %U %G %T@ %l %n'): string[] {
  const text = execFileSync('find', ['.', '-mindepth', '1', '-printf', `${format} %s\\n`], { cwd: directory });
  const lines = text.toString().trimEnd().split('\n');
  // The size of a directory is the file system's affair.
  return lines.map((line) => (/ d \d/.test(line) ? line.replace(/ \d+$/, '') : line)).sort();
}
