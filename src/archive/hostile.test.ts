import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isBerthError } from '#base';
import { getXattr } from '#host';
import { createArchiver } from './archiver.ts';
import { encodeHeader } from './tar/tar-encode.ts';
import { entry, scratch, tarOf } from './tar-fixture.test.ts';

const archiver = createArchiver({ idleTimeout: 200, limits: { entries: 50, size: 4 * 1024 * 1024 } });
const outside = mkdtempSync(`${tmpdir()}/archive-outside-`);
writeFileSync(`${outside}/secret`, 'untouched');
after(async () => {
  rmSync(outside, { recursive: true });
  await archiver.close();
});

/** A header with bytes changed after its checksum was made right again. */
function forged(name: string, change: (block: Buffer) => void, flag = '0'): Buffer {
  const block = encodeHeader(entry(name));
  block.write(flag, 156);
  change(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

function withPax(records: string, name = 'f'): Buffer {
  const body = Buffer.from(records, 'latin1');
  const header = forged(
    'pax',
    (block) => {
      block.write(body.length.toString(8).padStart(11, '0'), 124, 'latin1');
    },
    'x',
  );
  return Buffer.concat([header, body, Buffer.alloc(-body.length & 511), tarOf([entry(name)])]);
}

const up = '../'.repeat(12);
const link = (name: string, linkName: string) => [entry(name, { type: 'symlink', linkName })] as const;
const hard = (name: string, linkName: string) => [entry(name, { type: 'link', linkName })] as const;
const badSum = tarOf([entry('f')]);
badSum[0] = 0x67;

/** Archives that neither apply nor unpack takes. */
const refused: readonly (readonly [what: string, archive: Buffer, message: RegExp])[] = [
  ['a name that goes up', tarOf([entry(`${up}${outside}/x`)]), /invalid entry name "\.\.\//],
  ['a name that goes up in the middle', tarOf([entry('a/../../x')]), /invalid entry name "a\/\.\.\/\.\.\/x"/],
  ['a name that is only dots', tarOf([entry('..', { type: 'directory' })]), /invalid entry name "\.\."/],
  ['an empty name', tarOf([entry('')]), /invalid entry name ""/],
  ['a hard link that goes up', tarOf(hard('h', `${up}${outside}/secret`)), /invalid hardlink target "\.\.\//],
  ['a hard link to an absolute name outside', tarOf(hard('h', `${outside}/secret`)), /hard link "h"/],
  ['a hard link to a directory', tarOf([entry('d/', { type: 'directory' })], hard('h', 'd')), /hard link "h"/],
  ['a hard link through a symlink to outside', tarOf(link('s', outside), hard('h', 's/secret')), /hard link "h"/],
  ['a symlink without target', tarOf(link('s', '')), /symlink "s"/],
  ['a symlink that is its own parent', tarOf(link('s', 's'), [entry('s/f')]), /"s\/f"/],
  ['symlinks in a ring as parents', tarOf(link('a', 'b'), link('b', 'a'), [entry('a/f')]), /"a\/f"/],
  ['a file as a parent', tarOf([entry('f'), 'x'], [entry('f/g')]), /"f\/g"/],
  ['a name longer than the kernel takes', tarOf([entry('n'.repeat(300))]), /"nnn.*ENAMETOOLONG/],
  ['an end in the middle of a file', tarOf([entry('f'), 'x'.repeat(2000)]).subarray(0, 1024), /middle of an entry/],
  ['an end in the middle of a header', tarOf([entry('f')]).subarray(0, 300), /middle of an entry/],
  ['an end after a pax header', withPax('12 path=abc\n').subarray(0, 1024), /middle of an entry/],
  ['a wrong checksum', badSum, /wrong header checksum/],
  ['no archive at all', Buffer.alloc(2048, 'text'), /bad tar archive/],
  ['a huge pax header', forged('p', (block) => void block.write('77777777777', 124), 'x'), /extended header of/],
  ['a huge long name', forged('p', (block) => void block.write('00100000000', 124), 'L'), /extended header of/],
  ['a pax record that overruns', withPax('99 path=abc\n'), /malformed pax/],
  ['a pax record without a key', withPax('6 abc\n\n'), /malformed pax/],
  ['a pax size that is no number', withPax('11 size=-5\n'), /pax record size/],
  ['a pax path that goes up', withPax('15 path=../../x\n'.replace('15', '16')), /invalid entry name/],
  ['a pax path with a NUL', withPax('12 path=a\0b\n'), /NUL/],
  ['an unknown type', forged('f', (block) => void block.write('Z', 156)), /of type Z/],
  ['a size that is no number', forged('f', (block) => void block.write('12x', 124)), /malformed number/],
  ['a sparse map out of bounds', withPax(sparse('9,9', '5')), /sparse map/],
  ['a sparse file of impossible size', withPax(sparse('', '99999999999')), /bytes of files|sparse map/],
  [
    'more entries than allowed',
    tarOf(...Array.from({ length: 51 }, (_, at) => [entry(`f${at}`)] as const)),
    /more than 50/,
  ],
  ['more bytes than allowed', gzipSync(tarOf([entry('f'), '0'.repeat(5 * 1024 * 1024)])), /more than 4194304 bytes/],
];

function sparse(map: string, size: string): string {
  const record = (key: string, value: string) => {
    const rest = ` ${key}=${value}\n`;
    return `${rest.length + 2}${rest}`;
  };
  return record('GNU.sparse.map', map) + record('GNU.sparse.size', size);
}

for (const [what, archive, message] of refused) {
  test(`${what} is refused`, async () => {
    using dir = scratch();
    mkdirSync(dir.at('layer'));
    mkdirSync(dir.at('tree'));
    writeFileSync(dir.at('l.tar'), archive);
    const isRight = (error: unknown) => isBerthError(error, 'invalid') && message.test(error.message);
    await assert.rejects(archiver.apply(dir.at('l.tar'), dir.at('layer')), isRight);
    await assert.rejects(
      archiver.unpack(dir.at('tree'), '/', Readable.from([archive], { objectMode: false })),
      isRight,
    );
    assert.deepEqual(readdirSync(outside), ['secret']);
    assert.equal(readFileSync(`${outside}/secret`, 'utf8'), 'untouched');
    assert.deepEqual(readdirSync(dir.path).sort(), ['l.tar', 'layer', 'tree']);
  });
}

for (const [what, archive] of [
  ['a whiteout of nothing', tarOf([entry('.wh.')])],
  ['a whiteout of the directory above', tarOf([entry('d/.wh...')])],
  ['a parent that climbs out by a symlink', tarOf(link('s', `${up}${outside}`), [entry('s/f')])],
  ['a chain of symlinks that climbs out', tarOf(link('a', '.'), link('b', 'a/..'), [entry('b/f')])],
  ['bzip2, which is no compression of layers', Buffer.from('BZh91AY&SY')],
] as const) {
  test(`a layer with ${what} is refused`, async () => {
    using dir = scratch();
    mkdirSync(dir.at('layer'));
    writeFileSync(dir.at('l.tar'), archive);
    await assert.rejects(archiver.apply(dir.at('l.tar'), dir.at('layer')), (error) => isBerthError(error, 'invalid'));
    assert.deepEqual(readdirSync(outside), ['secret']);
  });
}

test('symlinks that lead out are followed inside the root only', async () => {
  using dir = scratch();
  mkdirSync(dir.at('root/in'), { recursive: true });
  const archive = tarOf(
    link('abs', outside),
    link('rel', `${up}up`),
    [entry('abs/secret'), 'new'],
    [entry('rel/f'), 'new'],
  );
  await archiver.unpack(dir.at('root'), 'in', Readable.from([archive], { objectMode: false }));
  assert.equal(readFileSync(`${outside}/secret`, 'utf8'), 'untouched');
  assert.equal(readFileSync(dir.at('root', outside, 'secret'), 'utf8'), 'new');
  assert.equal(readFileSync(dir.at('root/up/f'), 'utf8'), 'new');
});

test('attributes that steer overlayfs are not taken from an archive', async () => {
  using dir = scratch();
  mkdirSync(dir.at('layer'));
  const xattrs = new Map([
    ['trusted.overlay.redirect', Buffer.from('/etc')],
    ['user.fine', Buffer.from('x')],
  ]);
  writeFileSync(dir.at('l.tar'), tarOf([entry('d/', { type: 'directory', mode: 0o755, xattrs })]));
  await archiver.apply(dir.at('l.tar'), dir.at('layer'));
  assert.equal(getXattr(dir.at('layer/d'), 'trusted.overlay.redirect'), undefined);
  assert.equal(getXattr(dir.at('layer/d'), 'user.fine')?.toString(), 'x');
});
