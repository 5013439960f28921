import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { digestOf, invalid, isBerthError } from '#base';
import type { ContentStore } from '#content';
import { contentStoreSuite } from '#testkit';
import type { BlobStorage } from '../store/blob-storage.ts';
import { hasSwift, TestSwift } from '../swift-fixture.test.ts';
import { S3Bucket } from './s3-bucket.ts';
import { S3Storage } from './s3-storage.ts';

const partSize = 5 * 1024 * 1024;

describe('blobs in S3', { skip: !hasSwift() && 'Swift is not installed' }, () => {
  let swift: TestSwift;
  before(async () => {
    swift = await TestSwift.start();
  });
  after(() => swift[Symbol.asyncDispose]());

  contentStoreSuite('a bucket', async () => {
    const bucket = await S3Bucket.open(await swift.bucket());
    return { store: asContentStore(new S3Storage(bucket, { partSize })), close: () => assertNoWrites(bucket) };
  });

  it('a write of several parts goes on in another server, and ends with its bytes in order', async () => {
    const settings = await swift.bucket();
    const bytes = randomBytes(2 * partSize + 12345);
    const digest = digestOf(bytes);
    const cuts = [0, 100, partSize + 7, partSize + 7, 2 * partSize, bytes.length];
    for (const [turn, start] of cuts.slice(0, -1).entries()) {
      const storage = new S3Storage(await S3Bucket.open(settings), { partSize });
      const writer = await storage.writer({ key: 'upload:one' });
      assert.equal(writer.size, start);
      await writer.write(bytes.subarray(start, cuts[turn + 1]));
      if (turn < cuts.length - 2) await writer.abort({ keep: true });
      else assert.equal((await writer.commit({ digest })).size, bytes.length);
    }
    const bucket = await S3Bucket.open(settings);
    const storage = new S3Storage(bucket, { partSize });
    assert.equal(digestOf(await buffer(await storage.open(digest))), digest);
    const middle = await buffer(await storage.open(digest, { start: partSize - 5, end: partSize + 5 }));
    assert.deepEqual(middle, bytes.subarray(partSize - 5, partSize + 6));
    await assertNoWrites(bucket);
  });

  it('a dropped write leaves no object, also when it had parts', async () => {
    const bucket = await S3Bucket.open(await swift.bucket());
    const storage = new S3Storage(bucket, { partSize });
    const writer = await storage.writer({ key: 'upload:dropped' });
    await writer.write(randomBytes(partSize + 1));
    await writer.abort({ keep: true });
    await (await storage.writer({ key: 'upload:dropped' })).abort();
    await assertNoWrites(bucket);
  });

  it('says what is wrong with a wrong key or bucket', async () => {
    const settings = await swift.bucket();
    const refused = (error: unknown) => isBerthError(error, 'unavailable');
    await assert.rejects(S3Bucket.open({ ...settings, secretKey: 'wrong' }), refused);
    await assert.rejects(S3Bucket.open({ ...settings, bucket: 'never-made' }), refused);
  });
});

async function assertNoWrites(bucket: S3Bucket): Promise<void> {
  for await (const { key } of bucket.list('uploads/')) assert.fail(`${key} is left`);
}

/** The rest of a content store's methods, in terms of a registry's storage. */
function asContentStore(storage: BlobStorage): ContentStore {
  const nothing = () => {
    throw new Error('a bucket has no files');
  };
  return {
    info: async (digest) => ({ ...(await storage.info(digest)), createdAt: 0 }),
    has: async (digest) => (await storage.info(digest).catch(() => undefined)) !== undefined,
    open: (digest, range) => storage.open(digest, range),
    async read(digest, limit = 8 * 1024 ** 2) {
      if ((await storage.info(digest)).size > limit) throw invalid('too long');
      return buffer(await storage.open(digest));
    },
    async writer(options) {
      const writer = await storage.writer(options);
      return Object.assign(writer, { path: '' });
    },
    remove: (digest) => storage.remove(digest),
    list: () => storage.list(),
    pathOf: nothing,
    adopt: nothing,
  };
}
