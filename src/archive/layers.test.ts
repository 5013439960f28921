import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { isBerthError } from '#base';
import { fileTypes, getXattr, makeNode, setFileTimes, setXattr } from '#host';
import { createArchiver } from './archiver.ts';
import { entry, listing, type Member, scratch, tarOf } from './tar-fixture.test.ts';

const archiver = createArchiver({ idleTimeout: 200 });
after(() => archiver.close());

function makeTree(root: string): void {
  mkdirSync(`${root}/etc/deep/${'long-'.repeat(15)}/${'name-'.repeat(30)}`, { recursive: true });
  writeFileSync(`${root}/etc/passwd`, 'root:x:0:0\n', { mode: 0o640 });
  writeFileSync(`${root}/etc/deep/${'long-'.repeat(15)}/${'name-'.repeat(30)}/${'x'.repeat(200)}`, 'far');
  writeFileSync(`${root}/etc/big`, Buffer.alloc(1_500_001, 'ab'));
  writeFileSync(Buffer.from(`${root}/etc/\xff\xfe`, 'latin1'), 'bytes');
  writeFileSync(`${root}/etc/grün`, 'umlaut');
  linkSync(`${root}/etc/passwd`, `${root}/etc/zz-passwd`);
  symlinkSync('/etc/passwd', `${root}/link`);
  symlinkSync('y'.repeat(300), `${root}/long-link`);
  makeNode(`${root}/tty`, fileTypes.character | 0o620, { major: 4, minor: 300 });
  makeNode(`${root}/loop`, fileTypes.block | 0o660, { major: 259, minor: 1_000_000 });
  makeNode(`${root}/pipe`, fileTypes.fifo | 0o600, { major: 0, minor: 0 });
  writeFileSync(`${root}/ping`, 'setuid');
  chmodSync(`${root}/ping`, 0o4755);
  setXattr(`${root}/ping`, 'user.note', Buffer.from([0, 1, 0x3d, 0x0a, 255]));
  setXattr(`${root}/ping`, 'security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex'));
  execFileSync('chown', ['-h', '3000000:1234', `${root}/link`, `${root}/tty`]);
  const odd = { seconds: 1_600_000_000, nanoseconds: 123_456_789 };
  setFileTimes(`${root}/link`, odd, odd);
  setFileTimes(`${root}/ping`, { seconds: -5, nanoseconds: 250_000_000 }, { seconds: -5, nanoseconds: 250_000_000 });
  setFileTimes(`${root}/etc`, odd, odd);
  chmodSync(`${root}/etc/deep`, 0o1777);
}

test('apply of what diff wrote gives the same tree, and diff of that the same bytes', async () => {
  using dir = scratch();
  for (const name of ['a', 'b']) mkdirSync(dir.at(name));
  makeTree(dir.at('a'));
  const first = await archiver.diff(dir.at('a'), dir.at('a.tar'));
  const applied = await archiver.apply(dir.at('a.tar'), dir.at('b'), { expectedDiffId: first.diffId });
  const second = await archiver.diff(dir.at('b'), dir.at('b.tar'));
  assert.deepEqual(applied, first);
  assert.deepEqual(second, first);
  assert.equal(
    first.diffId,
    `sha256:${createHash('sha256')
      .update(readFileSync(dir.at('a.tar')))
      .digest('hex')}`,
  );
  assert.deepEqual(listing(dir.at('b')), listing(dir.at('a')));
  assert.deepEqual(getXattr(dir.at('b/ping'), 'user.note'), Buffer.from([0, 1, 0x3d, 0x0a, 255]));
  assert.equal(getXattr(dir.at('b/ping'), 'security.capability')?.length, 20);
  assert.ok(readFileSync(dir.at('b/etc/big')).equals(readFileSync(dir.at('a/etc/big'))));
});

test('GNU tar reads what diff wrote', async () => {
  using dir = scratch();
  for (const name of ['a', 'b']) mkdirSync(dir.at(name));
  makeTree(dir.at('a'));
  await archiver.diff(dir.at('a'), dir.at('a.tar'));
  execFileSync('tar', [
    '-C',
    dir.at('b'),
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '-xpf',
    dir.at('a.tar'),
  ]);
  assert.deepEqual(listing(dir.at('b')), listing(dir.at('a')));
  assert.deepEqual(getXattr(dir.at('b/ping'), 'user.note'), getXattr(dir.at('a/ping'), 'user.note'));
});

for (const format of ['gnu', 'pax', 'ustar', 'v7', 'oldgnu']) {
  test(`apply reads GNU tar's ${format} format`, async () => {
    using dir = scratch();
    for (const name of ['a', 'b', 'c']) mkdirSync(dir.at(name));
    if (format === 'ustar' || format === 'v7') {
      mkdirSync(dir.at('a/sub'));
      writeFileSync(dir.at('a/sub/file'), 'content');
      linkSync(dir.at('a/sub/file'), dir.at('a/sub/other'));
      symlinkSync('file', dir.at('a/sub/link'));
    } else {
      makeTree(dir.at('a'));
    }
    const more = format === 'pax' ? ['--xattrs', '--xattrs-include=*'] : [];
    execFileSync('tar', [
      '-C',
      dir.at('a'),
      `--format=${format}`,
      '--numeric-owner',
      ...more,
      '-cf',
      dir.at('a.tar'),
      '.',
    ]);
    execFileSync('tar', ['-C', dir.at('c'), '--numeric-owner', ...more, '-xpf', dir.at('a.tar')]);
    await archiver.apply(dir.at('a.tar'), dir.at('b'));
    assert.deepEqual(listing(dir.at('b')), listing(dir.at('c')));
    if (format === 'pax') assert.equal(getXattr(dir.at('b/ping'), 'security.capability')?.length, 20);
  });
}

for (const format of ['--format=gnu', '--sparse-version=0.0', '--sparse-version=0.1', '--sparse-version=1.0']) {
  test(`apply keeps the holes of sparse files (${format})`, async () => {
    using dir = scratch();
    for (const name of ['a', 'b']) mkdirSync(dir.at(name));
    const fd = openSync(dir.at('a/holes'), 'w');
    for (let at = 0; at < 40; at += 1) writeSync(fd, `piece ${at}`, at * 200_000);
    closeSync(fd);
    execFileSync('truncate', ['-s', '20M', dir.at('a/holes')]);
    execFileSync('truncate', ['-s', '3M', dir.at('a/nothing')]);
    const pax = format.startsWith('--sparse') ? ['--format=pax'] : [];
    execFileSync('tar', ['-C', dir.at('a'), ...pax, format, '-S', '-cf', dir.at('a.tar'), '.']);
    await archiver.apply(dir.at('a.tar'), dir.at('b'));
    assert.ok(readFileSync(dir.at('b/holes')).equals(readFileSync(dir.at('a/holes'))));
    assert.equal(statSync(dir.at('b/nothing')).size, 3 * 1024 * 1024);
    assert.ok(statSync(dir.at('b/holes')).blocks * 512 < 2 * 1024 * 1024);
  });
}

for (const [name, pack] of [
  ['gzip', ['gzip', '-k']],
  ['zstd', ['zstd', '-q', '-k']],
] as const) {
  test(`apply finds ${name} compression from the bytes and hashes what is inside`, async () => {
    using dir = scratch();
    for (const sub of ['a', 'b']) mkdirSync(dir.at(sub));
    makeTree(dir.at('a'));
    const facts = await archiver.diff(dir.at('a'), dir.at('a.tar'));
    execFileSync(pack[0], [...pack.slice(1), dir.at('a.tar')]);
    const packed = dir.at(name === 'gzip' ? 'a.tar.gz' : 'a.tar.zst');
    assert.deepEqual(await archiver.apply(packed, dir.at('b')), facts);
    assert.deepEqual(listing(dir.at('b')), listing(dir.at('a')));
    const bytes = readFileSync(packed);
    for (const broken of [
      bytes.subarray(0, bytes.length - 20),
      Buffer.concat([bytes.subarray(0, 40), Buffer.alloc(400, 7)]),
    ]) {
      writeFileSync(dir.at('broken'), broken);
      mkdirSync(dir.at('c'), { recursive: true });
      await assert.rejects(archiver.apply(dir.at('broken'), dir.at('c')), (error) => isBerthError(error, 'invalid'));
    }
  });
}

test('whiteouts and opaque marks go from the archive to overlay form and back', async () => {
  using dir = scratch();
  for (const name of ['low', 'a', 'up', 'work', 'merged']) mkdirSync(dir.at(name));
  for (const name of ['gone', 'dir/old', 'opaque/hidden', 'became-dir', 'kept/below']) {
    mkdirSync(dir.at('low', name, '..'), { recursive: true });
    writeFileSync(dir.at('low', name), 'low');
  }
  const tar = tarOf(
    [entry('.wh.gone')],
    [entry('dir/', { type: 'directory', mode: 0o755 })],
    [entry('dir/.wh.old')],
    [entry('opaque/', { type: 'directory', mode: 0o755 })],
    [entry('opaque/.wh..wh..opq')],
    [entry('opaque/new'), 'new'],
    [entry('.wh.became-dir')],
    [entry('became-dir/', { type: 'directory', mode: 0o700 })],
    [entry('kept', { type: 'directory', mode: 0o755 })],
    [entry('.wh.kept')],
    [entry('kept/mine'), 'm'],
    [entry('.wh..wh.plnk/x'), 'ignored by name of its own directory'],
  );
  writeFileSync(dir.at('l.tar'), tar);
  await archiver.apply(dir.at('l.tar'), dir.at('a'));
  const gone = lstatSync(dir.at('a/gone'));
  assert.ok(gone.isCharacterDevice() && gone.rdev === 0);
  assert.equal(getXattr(dir.at('a/opaque'), 'trusted.overlay.opaque')?.toString(), 'y');
  const options = `lowerdir=${dir.at('a')}:${dir.at('low')},upperdir=${dir.at('up')},workdir=${dir.at('work')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, dir.at('merged')]);
  try {
    assert.ok(!existsSync(dir.at('merged/gone')));
    assert.deepEqual(
      listing(dir.at('merged'), '%P').map((line) => line.split(' ')[0]),
      ['became-dir', 'dir', 'kept', 'kept/mine', 'opaque', 'opaque/new'],
    );
    execFileSync('rm', ['-r', dir.at('merged/dir'), dir.at('merged/opaque/new')]);
    mkdirSync(dir.at('merged/dir'));
  } finally {
    execFileSync('umount', [dir.at('merged')]);
  }
  await archiver.diff(dir.at('up'), dir.at('up.tar'));
  const names = execFileSync('tar', ['-tf', dir.at('up.tar')])
    .toString()
    .trim()
    .split('\n');
  assert.deepEqual(names, ['dir/', 'dir/.wh..wh..opq', 'opaque/', 'opaque/.wh.new']);
});

test('diff leaves out sockets and the attributes of overlayfs', async () => {
  using dir = scratch();
  mkdirSync(dir.at('a/d'), { recursive: true });
  setXattr(dir.at('a/d'), 'trusted.overlay.origin', Buffer.from('o'));
  const server = createServer().listen(dir.at('a/socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  utimesSync(dir.at('a/d'), 1, 1);
  await archiver.diff(dir.at('a'), dir.at('a.tar'));
  server.close();
  assert.ok(
    readFileSync(dir.at('a.tar')).equals(
      tarOf([entry('d/', { type: 'directory', mode: 0o755, mtime: { seconds: 1, nanoseconds: 0 } })]),
    ),
  );
});

test('apply refuses content that is not the layer the image wants', async () => {
  using dir = scratch();
  mkdirSync(dir.at('a'));
  writeFileSync(dir.at('l.tar'), tarOf([entry('f'), 'x']));
  const expectedDiffId = `sha256:${'0'.repeat(64)}` as const;
  await assert.rejects(archiver.apply(dir.at('l.tar'), dir.at('a'), { expectedDiffId }), /the image wants sha256:0000/);
});

test('apply hashes what comes after the end mark, and does not unpack it', async () => {
  using dir = scratch();
  mkdirSync(dir.at('a'));
  const bytes = Buffer.concat([tarOf([entry('f'), 'x']), Buffer.alloc(10_240), tarOf([entry('late'), 'y'])]);
  writeFileSync(dir.at('l.tar'), bytes);
  const facts = await archiver.apply(dir.at('l.tar'), dir.at('a'));
  assert.equal(facts.size, bytes.length);
  assert.equal(facts.diffId, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  assert.deepEqual(listing(dir.at('a'), '%P'), ['f 1']);
});

test('an aborted apply ends with canceled', async () => {
  using dir = scratch();
  mkdirSync(dir.at('a'));
  writeFileSync(
    dir.at('l.tar'),
    tarOf(...Array.from({ length: 3000 }, (_, at): Member => [entry(`f${at}`), 'x'.repeat(5000)])),
  );
  const control = new AbortController();
  const applied = archiver.apply(dir.at('l.tar'), dir.at('a'), { signal: control.signal });
  control.abort();
  await assert.rejects(applied, (error) => isBerthError(error, 'canceled'));
});

test('a layer may write below a symlink that stays inside, absolute ones counting from the layer', async () => {
  using dir = scratch();
  mkdirSync(dir.at('a'));
  writeFileSync(
    dir.at('l.tar'),
    tarOf(
      [entry('usr/lib/', { type: 'directory', mode: 0o755 })],
      [entry('lib', { type: 'symlink', linkName: 'usr/lib' })],
      [entry('abs', { type: 'symlink', linkName: '/usr/lib' })],
      [entry('lib/one'), '1'],
      [entry('abs/two'), '2'],
      [entry('/rooted'), '3'],
      [entry('hard', { type: 'link', linkName: '/usr/lib/one' })],
    ),
  );
  await archiver.apply(dir.at('l.tar'), dir.at('a'));
  assert.equal(readFileSync(dir.at('a/usr/lib/one'), 'utf8'), '1');
  assert.equal(readFileSync(dir.at('a/usr/lib/two'), 'utf8'), '2');
  assert.equal(readFileSync(dir.at('a/rooted'), 'utf8'), '3');
  assert.equal(statSync(dir.at('a/hard')).ino, statSync(dir.at('a/usr/lib/one')).ino);
  assert.equal(readlinkSync(dir.at('a/abs')), '/usr/lib');
});
