import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipBlocks } from './gzip-blocks.ts';

const pack = (...chunks: Buffer[]) => buffer(gzipBlocks(Readable.from(chunks, { objectMode: false })));

test('what was packed in blocks is one gzip file to every reader', async () => {
  for (const size of [0, 1, 1024 * 1024 - 1, 1024 * 1024, 5_000_000]) {
    const bytes = Buffer.concat([randomBytes(Math.min(size, 1000)), Buffer.alloc(Math.max(0, size - 1000), 'ab')]);
    const packed = await pack(bytes);
    assert.ok(gunzipSync(packed).equals(bytes), `${size} bytes by zlib`);
    assert.ok(execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 1 << 24 }).equals(bytes), `${size} by gzip`);
  }
});

test('how the bytes arrive does not show in the result', async () => {
  const bytes = randomBytes(3_000_000);
  const whole = await pack(bytes);
  const pieces = Array.from({ length: 300 }, (_, index) => bytes.subarray(index * 10_000, (index + 1) * 10_000));
  assert.ok((await pack(...pieces)).equals(whole));
});

test('a source that breaks off fails the packing', async () => {
  async function* broken() {
    yield randomBytes(2_500_000);
    throw new Error('broke off');
  }
  await assert.rejects(buffer(gzipBlocks(broken())), /broke off/);
});
