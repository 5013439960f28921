import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type Digest, digestOf, isBerthError } from '#base';
import { type ContentStore, ingest, putBlob } from '#content';

/** What every {@link ContentStore} must do. `open` makes an empty store and gives what cleans up after it. */
export function contentStoreSuite(
  name: string,
  open: () => Promise<{ store: ContentStore; close: () => Promise<void> }>,
): void {
  describe(`${name} keeps the contract of ContentStore:`, () => {
    let store: ContentStore;
    let close: () => Promise<void>;
    before(async () => {
      ({ store, close } = await open());
    });
    after(() => close());
    const kind = (wanted: 'not-found' | 'invalid' | 'conflict') => (error: unknown) => isBerthError(error, wanted);
    const absent: Digest = digestOf('never written');

    it('gives back what was written, small and large', async () => {
      for (const bytes of [Buffer.from('hello'), randomBytes(3 * 1024 * 1024 + 17)]) {
        const writer = await store.writer();
        for (let at = 0; at < bytes.length; at += 60_000) await writer.write(bytes.subarray(at, at + 60_000));
        assert.equal(writer.size, bytes.length);
        const info = await writer.commit({ digest: digestOf(bytes), size: bytes.length });
        assert.equal(info.digest, digestOf(bytes));
        assert.equal(info.size, bytes.length);
        assert.deepEqual(await store.read(info.digest), bytes);
        assert.equal((await store.info(info.digest)).size, bytes.length);
      }
    });

    it('keeps an empty blob', async () => {
      const info = await putBlob(store, '');
      assert.equal(info.digest, digestOf(''));
      assert.equal((await buffer(await store.open(info.digest))).length, 0);
    });

    it('shows nothing before commit and nothing after abort', async () => {
      const writer = await store.writer();
      await writer.write(Buffer.from('invisible'));
      assert.equal(await store.has(digestOf('invisible')), false);
      await writer.abort();
      await writer.abort();
      assert.equal(await store.has(digestOf('invisible')), false);
    });

    it('refuses bytes whose digest or size is another, and drops them', async () => {
      for (const expected of [{ digest: absent }, { size: 3 }]) {
        const writer = await store.writer();
        await writer.write(Buffer.from('altered'));
        await assert.rejects(writer.commit(expected), kind('invalid'));
        assert.equal(await store.has(digestOf('altered')), false);
      }
    });

    it('takes a blob that is there already as a success, also from two writers at once', async () => {
      const writers = await Promise.all([store.writer(), store.writer()]);
      for (const writer of writers) await writer.write(Buffer.from('twice'));
      const infos = await Promise.all(writers.map((writer) => writer.commit()));
      assert.deepEqual(
        infos.map((info) => info.digest),
        [digestOf('twice'), digestOf('twice')],
      );
      assert.equal((await store.read(digestOf('twice'))).toString(), 'twice');
    });

    it('takes up a keyed write that was cut off', async () => {
      const first = await store.writer({ key: 'layer' });
      await first.write(Buffer.from('first half, '));
      await assert.rejects(store.writer({ key: 'layer' }), kind('conflict'));
      await first.abort({ keep: true });
      const second = await store.writer({ key: 'layer' });
      assert.equal(second.size, 12);
      await second.write(Buffer.from('second half'));
      await second.commit({ digest: digestOf('first half, second half') });
      const third = await store.writer({ key: 'layer' });
      assert.equal(third.size, 0);
      await third.abort();
    });

    it('reads ranges, both ends included', async () => {
      const { digest } = await putBlob(store, '0123456789');
      const part = async (range: { start?: number; end?: number }) =>
        (await buffer(await store.open(digest, range))).toString();
      assert.equal(await part({ start: 2, end: 4 }), '234');
      assert.equal(await part({ start: 7 }), '789');
      assert.equal(await part({ end: 0 }), '0');
    });

    it('says not-found for what is not there', async () => {
      await assert.rejects(store.info(absent), kind('not-found'));
      await assert.rejects(store.read(absent), kind('not-found'));
      await assert.rejects(store.open(absent), kind('not-found'));
      await store.remove(absent);
    });

    it('refuses to read a blob above the limit into memory', async () => {
      const { digest } = await putBlob(store, 'too long');
      await assert.rejects(store.read(digest, 4), kind('invalid'));
    });

    it('lists its blobs and forgets removed ones', async () => {
      const { digest } = await putBlob(store, 'listed');
      const list = async () => {
        const found: Digest[] = [];
        for await (const info of store.list()) found.push(info.digest);
        return found;
      };
      assert.ok((await list()).includes(digest));
      await store.remove(digest);
      assert.equal((await list()).includes(digest), false);
      assert.equal(await store.has(digest), false);
    });

    it('drops an ingest whose source fails or whose caller goes away', async () => {
      const failing = Readable.from(
        (async function* () {
          yield Buffer.from('half');
          throw new Error('cut off');
        })(),
      );
      await assert.rejects(ingest(store, failing), /cut off/);
      const abort = new AbortController();
      let asked = 0;
      const stalled = new Readable({
        read() {
          asked += 1;
          if (asked === 1) this.push('half');
          else abort.abort();
        },
      });
      const running = ingest(store, stalled, { signal: abort.signal });
      await assert.rejects(running, (error) => isBerthError(error, 'canceled'));
      assert.equal(await store.has(digestOf('half')), false);
    });
  });
}
