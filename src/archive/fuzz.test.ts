import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BerthError } from '#base';
import { fuzzRounds, mutate, seededNumbers } from '#testkit';
import { createArchiver } from './archiver.ts';
import { entry, scratch, tarOf } from './tar-fixture.test.ts';

const archiver = createArchiver({ idleTimeout: 200, limits: { entries: 500, size: 16 * 1024 * 1024 } });
const outside = mkdtempSync(`${tmpdir()}/archive-fuzz-outside-`);
writeFileSync(`${outside}/secret`, 'untouched');
after(async () => {
  rmSync(outside, { recursive: true });
  await archiver.close();
});

const block = 512;
const names = [
  'a',
  'd/',
  'd/b',
  '../up',
  '/abs',
  `${outside}/secret`,
  'link',
  'link/x',
  '.wh.a',
  'd/.wh..wh..opq',
  '..',
];
const types = ['file', 'directory', 'symlink', 'link', 'character', 'fifo'] as const;

/** An archive of a few members that may already be hostile by themselves. */
function archiveOf(random: (limit: number) => number): Buffer {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  return tarOf(
    ...Array.from({ length: 2 + random(8) }, () => {
      const type = pick(types);
      const linkName = type === 'symlink' || type === 'link' ? pick([...names, '..', '/', outside]) : '';
      const name = random(5) === 0 ? `${'n'.repeat(random(300))}${pick(names)}` : pick(names);
      const xattrs = random(6) === 0 ? { xattrs: new Map([['user.a', Buffer.from('1')]]) } : {};
      return [entry(name, { type, linkName, mode: random(0o10000), ...xattrs }), 'x'.repeat(random(700))] as const;
    }),
  );
}

/** Makes checksums right again, so that the fault gets past the first check. */
function repair(archive: Buffer): Buffer {
  for (let at = 0; at + block <= archive.length; at += block) {
    const header = archive.subarray(at, at + block);
    if (header.toString('latin1', 257, 262) !== 'ustar') continue;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  }
  return archive;
}

test('mutated layers are applied inside their root or refused, whatever they hold', async () => {
  const rounds = fuzzRounds(200);
  for (let seed = 1; seed <= rounds; seed += 1) {
    using directory = scratch();
    const random = seededNumbers(seed);
    const damaged = mutate(archiveOf(random), random);
    const archive = random(2) === 0 ? repair(damaged) : damaged;
    writeFileSync(directory.at('blob'), random(5) === 0 ? gzipSync(archive) : archive);
    mkdirSync(directory.at('root'));
    try {
      if (random(2) === 0) await archiver.apply(directory.at('blob'), directory.at('root'));
      else {
        const layer = archiver.follow(directory.at('blob'), directory.at('root'));
        layer.advance(random(archive.length + 1));
        layer.advance(archive.length * 2);
        layer.finish();
        await layer.done;
      }
    } catch (error) {
      assert.ok(error instanceof BerthError, `seed ${seed}: ${error}`);
      assert.ok(['invalid', 'unavailable', 'not-implemented'].includes(error.kind), `seed ${seed}: ${error.stack}`);
    }
    assert.deepEqual(readdirSync(directory.path).sort(), ['blob', 'root'], `seed ${seed}`);
    assert.deepEqual(readdirSync(outside), ['secret'], `seed ${seed}`);
    assert.equal(readFileSync(`${outside}/secret`, 'utf8'), 'untouched', `seed ${seed}`);
  }
});
