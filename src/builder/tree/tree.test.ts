import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileTypes, getXattr, makeNode, setXattr } from '#host';
import { readAccounts } from './accounts.ts';
import { parseModeChange } from './file-mode.ts';
import { listMatches } from './list-matches.ts';
import { resolveInRoot } from './root-path.ts';
import { TreeWorkers } from './tree-workers.ts';

const directory = mkdtempSync('/tmp/builder-tree-');
const trees = new TreeWorkers();
after(async () => {
  await trees.close();
  rmSync(directory, { recursive: true });
});

function fresh(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

const modes: [string, number, boolean, number][] = [
  ['755', 0o644, false, 0o755],
  ['04755', 0o644, false, 0o4755],
  ['u=rwX,go=rX', 0o600, false, 0o644],
  ['u=rwX,go=rX', 0o700, true, 0o755],
  ['+x', 0o644, false, 0o755],
  ['go-rwx', 0o777, false, 0o700],
  ['u+s,o=', 0o755, false, 0o4750],
  ['a=r,u+w', 0o777, false, 0o644],
];
for (const [text, before, isDirectory, want] of modes) {
  test(`parseModeChange ${text} turns ${before.toString(8)} into ${want.toString(8)}`, () => {
    assert.equal(parseModeChange(text)(before, isDirectory), want);
  });
}

test('parseModeChange refuses what chmod would', () => {
  for (const text of ['8', '', 'u', 'u=q', '77777']) assert.throws(() => parseModeChange(text), { kind: 'invalid' });
});

test('resolveInRoot keeps links, absolute ones too, and .. inside the root', () => {
  const root = fresh('resolve');
  mkdirSync(join(root, 'a'));
  symlinkSync('/a', join(root, 'absolute'));
  symlinkSync('../../../a', join(root, 'climbing'));
  symlinkSync('loop', join(root, 'loop'));
  assert.equal(resolveInRoot(root, '/absolute/x'), join(root, 'a/x'));
  assert.equal(resolveInRoot(root, 'climbing'), join(root, 'a'));
  assert.equal(resolveInRoot(root, '../../etc'), join(root, 'etc'));
  assert.equal(resolveInRoot(root, 'absolute', { keepLast: true }), join(root, 'absolute'));
  assert.throws(() => resolveInRoot(root, 'loop'), { kind: 'invalid' });
});

test('readAccounts finds the users of the tree it is given, and none where the files are missing', () => {
  const root = fresh('accounts');
  assert.throws(() => readAccounts(root).resolve('app'), { message: /unable to find user app/ });
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), 'app:x:10:20::/srv:/bin/sh\n');
  assert.equal(readAccounts(root).resolve('app').uid, 10);
});

test('listMatches finds patterns per directory and never above the root', () => {
  const root = fresh('list');
  for (const name of ['a', 'b', 'a/one', 'b/one']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'a/x.js'), '');
  const names = (pattern: string) => listMatches(root, [pattern], { context: true }).map((match) => match.path);
  assert.deepEqual(names('*/one'), ['a/one', 'b/one']);
  assert.deepEqual(names('../../a/*.js'), ['a/x.js']);
  assert.deepEqual(names('.'), ['']);
  assert.throws(() => names('*.nope'), { kind: 'not-found' });
  assert.throws(() => names('c'), { message: /stat c: file does not exist/ });
});

test('a copy between file systems keeps extended attributes and device nodes', async () => {
  const root = fresh('from');
  const target = fresh('to');
  writeFileSync(join(root, 'f'), 'x');
  setXattr(join(root, 'f'), 'user.berth', Buffer.from('kept'));
  makeNode(join(root, 'null'), fileTypes.character | 0o666, { major: 1, minor: 3 });
  const matches = await trees.run({ kind: 'list', root, patterns: ['.'], context: false });
  const view = { matches, exclude: [], parents: false, keepOwner: true };
  await trees.run({
    kind: 'copy',
    view,
    target: { root: target, destination: '/d/', owner: undefined, chmod: undefined },
  });
  assert.equal(getXattr(join(target, 'd/f'), 'user.berth')?.toString(), 'kept');
  assert.equal(lstatSync(join(target, 'd/null')).rdev, lstatSync('/dev/null').rdev);
});

test('a digest depends on names, contents and modes, not on times', async () => {
  const root = fresh('digest');
  const file = join(root, 'f');
  const digest = async () => {
    const matches = await trees.run({ kind: 'list', root, patterns: ['.'], context: true });
    return trees.run({ kind: 'digest', view: { matches, exclude: [], parents: false, keepOwner: false } });
  };
  writeFileSync(file, 'one');
  const first = await digest();
  rmSync(file);
  writeFileSync(file, 'one');
  assert.equal(await digest(), first);
  chmodSync(file, 0o755);
  assert.notEqual(await digest(), first);
  chmodSync(file, 0o644);
  writeFileSync(file, 'two!');
  assert.notEqual(await digest(), first);
});

test('a job that is aborted rejects as canceled, and the next one works', async () => {
  const root = fresh('abort');
  writeFileSync(join(root, 'f'), 'x');
  const abort = new AbortController();
  const job = trees.run({ kind: 'list', root, patterns: ['.'], context: true }, abort.signal);
  abort.abort();
  await assert.rejects(job, { kind: 'canceled' });
  assert.equal((await trees.run({ kind: 'list', root, patterns: ['f'], context: true })).length, 1);
  assert.equal(readFileSync(join(root, 'f'), 'utf8'), 'x');
});
