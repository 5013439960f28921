import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  fileTypes,
  getXattr,
  listXattrs,
  makeNode,
  setFileTimes,
  setXattr,
  spreadDirectories,
  syncFileSystem,
} from './files.ts';
import { resolveInRoot } from './resolve-in-root.ts';

const root = mkdtempSync(join(tmpdir(), 'host-files-test-'));
after(() => rmSync(root, { recursive: true }));
const at = (name: string) => join(root, name);

test('makeNode makes devices with large numbers, also under names that are not UTF-8', () => {
  const path = Buffer.from(at('node-\xff'), 'latin1');
  makeNode(path, fileTypes.character | 0o600, { major: 259, minor: 1_000_001 });
  const { rdev } = lstatSync(path, { bigint: true });
  assert.equal(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n), 259n);
  assert.equal((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n), 1_000_001n);
  assert.throws(() => makeNode(path, fileTypes.fifo, { major: 0, minor: 0 }), /EEXIST/);
});

test('setFileTimes sets nanoseconds before and after the epoch, on a symlink itself', () => {
  symlinkSync('nowhere', at('link'));
  for (const [seconds, nanoseconds, expected] of [
    [5_000_000_000, 123_456_789, 5_000_000_000_123_456_789n],
    [-2, 999_999_999, -1_000_000_001n],
  ] as const) {
    setFileTimes(at('link'), { seconds: 0, nanoseconds: 0 }, { seconds, nanoseconds });
    assert.equal(lstatSync(at('link'), { bigint: true }).mtimeNs, expected);
  }
});

test('extended attributes of any size are set, listed and read', () => {
  writeFileSync(at('file'), '');
  setXattr(at('file'), 'user.b', Buffer.alloc(3000, 7));
  setXattr(at('file'), 'user.a', Buffer.alloc(0));
  assert.deepEqual(listXattrs(at('file')), ['user.a', 'user.b']);
  assert.equal(getXattr(at('file'), 'user.b')?.length, 3000);
  assert.equal(getXattr(at('file'), 'user.a')?.length, 0);
  assert.equal(getXattr(at('file'), 'user.none'), undefined);
  assert.throws(() => getXattr(at('missing'), 'user.a'), /ENOENT/);
});

test('syncFileSystem syncs, and tells of a path that is not there', async () => {
  await syncFileSystem(root);
  await assert.rejects(syncFileSystem(at('missing')), /ENOENT/);
});

test('spreadDirectories sets the flag where the file system has it, and is quiet elsewhere', (context) => {
  spreadDirectories('/proc/self');
  const type = execFileSync('stat', ['-f', '-c', '%T', root], { encoding: 'utf8' });
  if (!type.startsWith('ext')) return context.skip('not an ext file system');
  spreadDirectories(root);
  assert.match(execFileSync('lsattr', ['-d', root], { encoding: 'utf8' }), /^\S*T/);
});

test('resolveInRoot follows symlinks as a process with that root would', async () => {
  mkdirSync(at('etc/sub'), { recursive: true });
  symlinkSync('/etc', at('abs'));
  symlinkSync('../../../../etc', at('climb'));
  symlinkSync('ring', at('ring'));
  for (const [path, expected] of [
    ['/abs/sub', 'etc/sub'],
    ['climb/passwd', 'etc/passwd'],
    ['../../etc/./sub/..', 'etc'],
    ['etc/missing/deeper', 'etc/missing/deeper'],
    ['abs', 'etc'],
    ['/', ''],
  ] as const) {
    assert.equal(await resolveInRoot(root, path), join(root, expected), path);
  }
  assert.equal(await resolveInRoot(root, 'abs', { followLast: false }), at('abs'));
  assert.equal(await resolveInRoot(root, 'abs/', { followLast: false }), at('etc'));
  await assert.rejects(resolveInRoot(root, 'ring/x'), /too many levels of symbolic links/);
});
