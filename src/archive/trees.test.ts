import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { isBerthError } from '#base';
import { createArchiver } from './archiver.ts';
import { entry, listing, type Member, scratch, tarOf } from './tar-fixture.test.ts';

const archiver = createArchiver({ idleTimeout: 200 });
after(() => archiver.close());

const streamOf = (bytes: Buffer) => Readable.from([bytes], { objectMode: false });

function namesIn(archive: Buffer): string[] {
  return execFileSync('tar', ['-P', '-t'], { input: archive }).toString().trim().split('\n');
}

test('unpack of what pack gave makes the same tree', async () => {
  using dir = scratch();
  mkdirSync(dir.at('a/sub/deeper'), { recursive: true });
  mkdirSync(dir.at('b'));
  for (let at = 0; at < 300; at += 1) writeFileSync(dir.at(`a/sub/file-${at}`), 'x'.repeat(at * 31));
  symlinkSync('/nowhere', dir.at('a/sub/deeper/link'));
  execFileSync('find', [dir.at('a'), '-exec', 'touch', '-h', '-d', '@1700000000', '{}', '+']);
  await archiver.unpack(dir.path, 'b', await archiver.pack(dir.path, 'a', { rename: '' }));
  assert.deepEqual(listing(dir.at('b')), listing(dir.at('a')));
});

test('pack names its entries as docker cp does', async () => {
  using dir = scratch();
  mkdirSync(dir.at('etc'));
  writeFileSync(dir.at('etc/passwd'), 'x');
  symlinkSync('etc', dir.at('link'));
  const names = async (path: string, rename?: string) =>
    namesIn(await buffer(await archiver.pack(dir.path, path, rename === undefined ? {} : { rename })));
  assert.deepEqual(await names('/etc'), ['etc/', 'etc/passwd']);
  assert.deepEqual(await names('/etc/.'), ['./', './passwd']);
  assert.deepEqual(await names('etc/passwd'), ['passwd']);
  assert.deepEqual(await names('/etc/', 'other'), ['other/', 'other/passwd']);
  assert.deepEqual(await names('/link'), ['link']);
  assert.deepEqual(await names('/link/'), ['link/', 'link/passwd']);
  assert.deepEqual(await names('/'), ['/', '/etc/', '/etc/passwd', '/link']);
  assert.deepEqual(await names('/', ''), ['etc/', 'etc/passwd', 'link']);
});

test('pack leaves out what the filter refuses, with all below it', async () => {
  using dir = scratch();
  for (const name of ['src/keep', 'node_modules/x/y', 'src/tmp/z']) {
    mkdirSync(dir.at(name, '..'), { recursive: true });
    writeFileSync(dir.at(name), '');
  }
  const asked: string[] = [];
  const filter = (path: string) => {
    asked.push(path);
    return path !== 'node_modules' && path !== 'src/tmp';
  };
  const archive = await buffer(await archiver.pack(dir.path, '/', { rename: '', filter }));
  assert.deepEqual(namesIn(archive), ['src/', 'src/keep']);
  assert.ok(!asked.includes('node_modules/x'));
});

test('pack resolves symlinks inside the root, as a container sees them', async () => {
  using dir = scratch();
  mkdirSync(dir.at('root/etc'), { recursive: true });
  writeFileSync(dir.at('root/etc/hostname'), 'inside');
  symlinkSync('/etc', dir.at('root/abs'));
  symlinkSync('../../../../etc', dir.at('root/climb'));
  for (const path of ['abs/hostname', 'climb/hostname', '../../etc/hostname']) {
    const archive = await buffer(await archiver.pack(dir.at('root'), path));
    assert.ok(archive.includes('inside'), path);
  }
  await assert.rejects(archiver.pack(dir.at('root'), '/etc/shadow'), (error) => isBerthError(error, 'not-found'));
});

test('a reader that stops reading holds up nobody, and destroying it ends the work', async () => {
  using dir = scratch();
  writeFileSync(dir.at('big'), Buffer.alloc(20 * 1024 * 1024));
  const stalled = await Promise.all(Array.from({ length: 6 }, () => archiver.pack(dir.path, 'big')));
  const archive = await buffer(await archiver.pack(dir.path, 'big'));
  assert.ok(archive.length > 20 * 1024 * 1024);
  for (const stream of stalled) {
    assert.ok(stream.readableLength < 2 * 1024 * 1024);
    stream.destroy();
  }
});

test('unpack replaces files and keeps directories, unless told not to change their kind', async () => {
  using dir = scratch();
  mkdirSync(dir.at('t/was-dir/full'), { recursive: true });
  mkdirSync(dir.at('t/stays'));
  for (const name of ['t/was-file', 't/stays/old', 't/was-dir/full/x']) writeFileSync(dir.at(name), 'old');
  const toFile = tarOf([entry('was-dir'), 'new']);
  const toDirectory = tarOf([entry('was-file/', { type: 'directory', mode: 0o700 })]);
  const both = tarOf([entry('stays/', { type: 'directory', mode: 0o711 })], [entry('stays/old'), 'new']);
  for (const archive of [toFile, toDirectory]) {
    await assert.rejects(
      archiver.unpack(dir.path, 't', streamOf(archive), { noOverwriteDirNonDir: true }),
      (error) => isBerthError(error, 'invalid') && /cannot overwrite/.test(error.message),
    );
  }
  for (const archive of [toFile, toDirectory, both]) await archiver.unpack(dir.path, 't', streamOf(archive));
  assert.equal(readFileSync(dir.at('t/was-dir'), 'utf8'), 'new');
  assert.ok(statSync(dir.at('t/was-file')).isDirectory());
  assert.equal(readFileSync(dir.at('t/stays/old'), 'utf8'), 'new');
  assert.equal(statSync(dir.at('t/stays')).mode & 0o777, 0o711);
});

test('unpack gives everything to one owner when asked', async () => {
  using dir = scratch();
  mkdirSync(dir.at('t'));
  const archive = () =>
    streamOf(
      tarOf([entry('f', { uid: 5, gid: 6, mode: 0o4755 })], [entry('l', { type: 'symlink', linkName: 'f', uid: 5 })]),
    );
  await archiver.unpack(dir.path, 't', archive(), { keepOwner: false, owner: { uid: 1000, gid: 1001 } });
  assert.deepEqual([lstatSync(dir.at('t/l')).uid, statSync(dir.at('t/f')).gid], [1000, 1001]);
  assert.equal(statSync(dir.at('t/f')).mode & 0o7777, 0o4755);
  await archiver.unpack(dir.path, 't', archive());
  assert.deepEqual([lstatSync(dir.at('t/l')).uid, statSync(dir.at('t/f')).gid], [5, 6]);
});

for (const program of ['gzip', 'zstd', 'bzip2', 'xz']) {
  test(`unpack takes archives packed by ${program}`, async () => {
    using dir = scratch();
    mkdirSync(dir.at('t'));
    const packed = execFileSync(program, ['-c'], { input: tarOf([entry('f'), 'content']) });
    await archiver.unpack(dir.path, 't', streamOf(packed));
    assert.equal(readFileSync(dir.at('t/f'), 'utf8'), 'content');
    await assert.rejects(archiver.unpack(dir.path, 't', streamOf(packed.subarray(0, packed.length - 12))), (error) =>
      isBerthError(error, 'invalid'),
    );
  });
}

test('unpack into what is no directory is refused', async () => {
  using dir = scratch();
  writeFileSync(dir.at('f'), '');
  const archive = tarOf([entry('x')]);
  await assert.rejects(archiver.unpack(dir.path, 'f', streamOf(archive)), /extraction point is not a directory/);
  await assert.rejects(archiver.unpack(dir.path, 'g', streamOf(archive)), (error) => isBerthError(error, 'not-found'));
});

test('a source that breaks off ends unpack with canceled, and a refused source can still be read', async () => {
  using dir = scratch();
  mkdirSync(dir.at('t'));
  const source = new PassThrough();
  source.write(tarOf([entry('f'), 'x'.repeat(4000)]).subarray(0, 2000));
  const unpacked = archiver.unpack(dir.path, 't', source);
  source.destroy(new Error('connection reset'));
  await assert.rejects(unpacked, (error) => isBerthError(error, 'canceled'));

  const refused = new PassThrough();
  refused.write(Buffer.alloc(300_000, 'junk'));
  await assert.rejects(archiver.unpack(dir.path, 't', refused), (error) => isBerthError(error, 'invalid'));
  assert.ok(!refused.destroyed);
});

test('many files unpack from a stream of small chunks', async () => {
  using dir = scratch();
  mkdirSync(dir.at('t'));
  const members = Array.from({ length: 1000 }, (_, at): Member => [entry(`d${at % 10}/f${at}`), `content ${at}`]);
  const bytes = tarOf(...members);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 700) }, (_, at) =>
    bytes.subarray(at * 700, at * 700 + 700),
  );
  await archiver.unpack(dir.path, 't', Readable.from(chunks, { objectMode: false }));
  for (const [member, content] of members) assert.equal(readFileSync(dir.at('t', member.name), 'utf8'), content);
  assert.ok(!existsSync(dir.at('t/d10')));
});
