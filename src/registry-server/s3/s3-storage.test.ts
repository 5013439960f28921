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
const options = { partSize, writeLifetime: 24 * 3600_000 };

describe('blobs in S3', { skip: !hasSwift() && 'Swift is not installed' }, () => {
  let swift: TestSwift;
  before(async () => {
    swift = await TestSwift.start();
  });
  after(() => swift[Symbol.asyncDispose]());

  contentStoreSuite('a bucket', async () => {
    const bucket = await S3Bucket.open(await swift.bucket());
    return { store: asContentStore(new S3Storage(bucket, options)), close: () => assertNoWrites(bucket) };
  });

  it('a write of several parts goes on in another server, and ends with its bytes in order', async () => {
    const settings = await swift.bucket();
    const bytes = randomBytes(2 * partSize + 12345);
    const digest = digestOf(bytes);
    const cuts = [0, 100, partSize + 7, partSize + 7, 2 * partSize, bytes.length];
    for (const [turn, start] of cuts.slice(0, -1).entries()) {
      const storage = new S3Storage(await S3Bucket.open(settings), options);
      const writer = await storage.writer({ key: 'upload:one' });
      assert.equal(writer.size, start);
      await writer.write(bytes.subarray(start, cuts[turn + 1]));
      if (turn < cuts.length - 2) await writer.abort({ keep: true });
      else assert.equal((await writer.commit({ digest })).size, bytes.length);
    }
    const bucket = await S3Bucket.open(settings);
    const storage = new S3Storage(bucket, options);
    assert.equal(digestOf(await buffer(await storage.open(digest))), digest);
    const middle = await buffer(await storage.open(digest, { start: partSize - 5, end: partSize + 5 }));
    assert.deepEqual(middle, bytes.subarray(partSize - 5, partSize + 6));
    await assertNoWrites(bucket);
  });

  it('a dropped write leaves no object, also when it had parts', async () => {
    const bucket = await S3Bucket.open(await swift.bucket());
    const storage = new S3Storage(bucket, options);
    const writer = await storage.writer({ key: 'upload:dropped' });
    await writer.write(randomBytes(partSize + 1));
    await writer.abort({ keep: true });
    await (await storage.writer({ key: 'upload:dropped' })).abort();
    await assertNoWrites(bucket);
  });

  it('a blob longer than what the service copies at once is copied in parts', async () => {
    const bucket = await S3Bucket.open({ ...(await swift.bucket()), copyLimit: partSize });
    const storage = new S3Storage(bucket, options);
    const bytes = randomBytes(5 * partSize + 1);
    const writer = await storage.writer({ key: 'upload:long' });
    await writer.write(bytes);
    await writer.commit({ digest: digestOf(bytes) });
    assert.equal(digestOf(await buffer(await storage.open(digestOf(bytes)))), digestOf(bytes));
    await assertNoWrites(bucket);
    await assert.rejects(bucket.copy('nothing', 'blobs/sha256/copied', 2 * partSize), isBerthError);
    await assert.rejects(bucket.size('blobs/sha256/copied'), (error) => isBerthError(error, 'not-found'));
    for await (const { key } of bucket.listParts('')) assert.fail(`parts of ${key} are left`);
  });

  it('parts that no state names go with old writes, and those of a write that can go on stay', async () => {
    const bucket = await S3Bucket.open(await swift.bucket());
    const storage = new S3Storage(bucket, options);
    const bytes = randomBytes(partSize + 1);
    const begun = await storage.writer({ key: 'upload:kept' });
    await begun.write(bytes.subarray(0, -1));
    await begun.write(bytes.subarray(-1));
    await begun.abort({ keep: true });
    // What servers leave that die while they take a chunk, write a blob without an upload, copy one, and finish one.
    for (const key of ['uploads/folder/one', 'uploads/folder/one', 'uploads/two', 'blobs/sha256/three']) {
      await bucket.putPart(key, await bucket.beginParts(key), { number: 1, bytes: randomBytes(100) });
    }
    await bucket.put('uploads/folder/four', randomBytes(10));
    const upTo = async (now: number) => {
      const swept = new S3Storage(bucket, { partSize, writeLifetime: 0, now: () => now });
      for await (const _ of swept.list()) assert.fail('there is no blob');
      return (await all(bucket.listParts(''))).length + (await all(bucket.list(''))).length;
    };
    assert.equal(await upTo(0), 7);
    // The write is taken up until its state is younger than the others, by the service's clock of whole seconds.
    const others = Math.max(
      ...(await all(bucket.list(''))).map(({ writtenAt }) => writtenAt),
      ...(await all(bucket.listParts(''))).map(({ begunAt }) => begunAt),
    );
    let state = others;
    while (state <= others) {
      await (await storage.writer({ key: 'upload:kept' })).abort({ keep: true });
      state = Math.max(...(await all(bucket.list('uploads/'))).map(({ writtenAt }) => writtenAt));
    }
    assert.equal(await upTo(state), 2);
    const taken = await storage.writer({ key: 'upload:kept' });
    await taken.commit({ digest: digestOf(bytes) });
    await assertNoWrites(bucket);
  });

  it('says what is wrong with a wrong key or bucket', async () => {
    const settings = await swift.bucket();
    const refused = (error: unknown) => isBerthError(error, 'unavailable');
    await assert.rejects(S3Bucket.open({ ...settings, secretKey: 'wrong' }), refused);
    await assert.rejects(S3Bucket.open({ ...settings, bucket: 'never-made' }), refused);
  });
});

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const entries: T[] = [];
  for await (const entry of list) entries.push(entry);
  return entries;
}

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
