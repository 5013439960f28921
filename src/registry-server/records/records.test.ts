import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Digest, digestOf, silentLogger } from '#base';
import { openDatabase } from '#metadata';
import { PostgresDatabase } from '../postgres/postgres-database.ts';
import { postgresPrograms, TestPostgres } from '../postgres-fixture.test.ts';
import { registryMigrations } from '../sqlite/schema.ts';
import { createSqliteRecords } from '../sqlite/sqlite-records.ts';
import { createRecords } from './create-records.ts';
import type { NewManifest, Reference, RegistryEvent, RegistryRecords, SweepCursor } from './records.ts';

const free = { quotas: [] };
const push: RegistryEvent = { action: 'push', repository: 'a', at: 1 };
const all = { after: '', limit: 100 };

function blob(text: string): { digest: Digest; size: number } {
  return { digest: digestOf(text), size: text.length };
}

function manifest(text: string, references: Reference[] = [], more: Partial<NewManifest> = {}): NewManifest {
  const bytes = Buffer.from(text);
  const rest = { artifactType: undefined, annotations: undefined, subject: undefined };
  return { digest: digestOf(text), mediaType: 'type', size: bytes.length, bytes, references, ...rest, ...more };
}

async function sweepAll(step: (from: SweepCursor) => Promise<{ removed: number; next: SweepCursor }>) {
  let removed = 0;
  let from: SweepCursor;
  do {
    const done = await step(from);
    removed += done.removed;
    from = done.next;
  } while (from !== undefined);
  return removed;
}

/** What every implementation of the records has to do. */
function recordsSuite(name: string, open: () => Promise<{ records: RegistryRecords; close: () => Promise<void> }>) {
  describe(`${name} keep the contract of RegistryRecords:`, () => {
    let records: RegistryRecords;
    let close = async () => {};
    before(async () => {
      ({ records, close } = await open());
    });
    after(() => close());
    const put = (repository: string, document: NewManifest, tag?: string) =>
      records.manifests.putManifest(repository, document, { ...free, tag, requireReferences: true });

    it('a blob is seen where it was linked or mounted, and counts in each repository', async () => {
      const layer = blob('mounted layer');
      await records.blobs.linkBlob('mount/a', layer, free);
      await records.blobs.linkBlob('mount/a', layer, free);
      assert.equal((await records.blobs.findBlob('mount/a', layer.digest))?.size, layer.size);
      assert.equal(await records.blobs.findBlob('mount/b', layer.digest), undefined);
      assert.equal((await records.blobs.mountBlob('mount/a', 'mount/b', layer.digest, free))?.size, layer.size);
      assert.equal(await records.blobs.mountBlob('mount/x', 'mount/c', layer.digest, free), undefined);
      assert.equal(await records.lists.hasRepository('mount/c'), false);
      assert.equal(await records.lists.usage('mount/'), 2 * layer.size);
      assert.equal(await records.blobs.unlinkBlob('mount/a', layer.digest), true);
      assert.equal(await records.blobs.unlinkBlob('mount/a', layer.digest), false);
      assert.equal(await records.lists.usage('mount/'), layer.size);
    });

    it('a push above a quota is denied and leaves nothing, also beside others', async () => {
      const terms = { quotas: [{ prefix: 'quota/', bytes: 25 }] };
      const pushes = ['one 4567890', 'two 4567890', 'thr 4567890', 'fou 4567890'].map((text, index) =>
        records.blobs.linkBlob(`quota/${index}`, blob(text), terms),
      );
      const results = await Promise.allSettled(pushes);
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 2);
      for (const result of results) if (result.status === 'rejected') assert.match(`${result.reason}`, /quota of/);
      assert.equal(await records.lists.usage('quota/'), 22);
    });

    it('a manifest is found by digest and tag with its bytes, and refused while something is missing', async () => {
      const layer = blob('wanted layer');
      const document = manifest('needs a layer', [{ digest: layer.digest, kind: 'blob' }]);
      await assert.rejects(put('image', document, 'one'), /references 1 unknown blob/);
      assert.equal(await records.lists.hasRepository('image'), false);
      await records.blobs.linkBlob('image', layer, free);
      await put('image', document, 'one');
      await put('image', document, 'two');
      const index = manifest('an index', [
        { digest: document.digest, kind: 'manifest' },
        { ...layer, kind: 'either' },
      ]);
      await put('image', index, 'three');
      const found = await records.manifests.findManifest('image', { tag: 'two' });
      assert.deepEqual(found?.bytes, document.bytes);
      assert.equal((await records.manifests.findManifest('image', { digest: index.digest }))?.mediaType, 'type');
      assert.ok(Number(await records.manifests.tagCheckedAt('image', 'one')) > 1e12);
      assert.deepEqual(await records.lists.tags('image', all), ['one', 'three', 'two']);
      assert.deepEqual(await records.lists.tags('image', { after: 'one', limit: 1 }), ['three']);
      assert.equal(await records.manifests.deleteTag('image', 'one'), true);
      assert.equal(await records.manifests.deleteManifest('image', document.digest), true);
      assert.deepEqual(await records.lists.tags('image', all), ['three']);
      assert.equal(await records.manifests.deleteManifest('image', document.digest), false);
    });

    it('lists are in byte order, and referrers can be chosen by type', async () => {
      const subject = digestOf('subject');
      for (const name of ['list/a-b', 'list/a', 'list/Z', 'list/a_b']) await put(name, manifest(`in ${name}`));
      const names = (await records.lists.repositories(all)).filter((name) => name.startsWith('list/'));
      assert.deepEqual(names, ['list/Z', 'list/a', 'list/a-b', 'list/a_b']);
      const signature = manifest('signature', [], { subject, artifactType: 'sig', annotations: { key: 'value' } });
      await put('list/a', signature);
      await put('list/a', manifest('bill', [], { subject, artifactType: 'bill' }));
      assert.equal((await records.lists.referrers('list/a', subject, all)).length, 2);
      const [only] = await records.lists.referrers('list/a', subject, { ...all, artifactType: 'sig' });
      assert.deepEqual([only?.digest, only?.annotations], [signature.digest, { key: 'value' }]);
    });

    it('garbage collection takes what nothing needs, row by row', async () => {
      const used = blob('used');
      const loose = blob('loose');
      for (const one of [used, loose]) await records.blobs.linkBlob('garbage', one, free);
      const kept = manifest('kept', [{ digest: used.digest, kind: 'blob' }]);
      await put('garbage', kept, 'tag');
      await put('garbage', manifest('untagged'));
      const step = { before: Date.now() + 1000, limit: 2 };
      assert.ok((await sweepAll((from) => records.garbage.removeUntagged({ ...step, from }))) > 0);
      assert.ok((await sweepAll((from) => records.garbage.removeLooseLinks({ ...step, from }))) > 0);
      assert.ok(await records.blobs.findBlob('garbage', used.digest));
      assert.equal(await records.blobs.findBlob('garbage', loose.digest), undefined);
      const { digests } = await records.garbage.unlinkedBlobs(undefined, 100);
      assert.ok(digests.includes(loose.digest) && !digests.includes(used.digest));
      assert.equal(await records.garbage.forgetBlob(used.digest), false);
      assert.equal(await records.garbage.forgetBlob(loose.digest), true);
      assert.equal(await records.garbage.knowsBlob(loose.digest), false);
      await records.manifests.deleteManifest('garbage', kept.digest);
      await records.blobs.unlinkBlob('garbage', used.digest);
      await records.garbage.removeEmptyRepositories();
      assert.equal(await records.lists.hasRepository('garbage'), false);
    });

    it('a manifest that was accepted keeps its blobs while garbage is collected', async () => {
      for (let round = 0; round < 20; round += 1) {
        const layer = blob(`raced ${round}`);
        await records.blobs.linkBlob('race', layer, free);
        const document = manifest(`race ${round}`, [{ digest: layer.digest, kind: 'blob' }]);
        const [pushed] = await Promise.allSettled([
          put('race', document, `r${round}`),
          records.garbage.removeLooseLinks({ before: Date.now() + 1000, from: undefined, limit: 1000 }),
        ]);
        const link = await records.blobs.findBlob('race', layer.digest);
        assert.equal(link !== undefined, pushed.status === 'fulfilled', `round ${round}`);
      }
    });

    it('what a cache used last stays, with all that it references, and the rest goes', async () => {
      const far = { prefix: 'far/', except: ['far/away/'] };
      const [old, young, shared, other] = ['old layer', 'young layer', 'shared layer', 'other layer'].map(blob);
      assert.ok(old && young && shared && other);
      for (const each of [old, young, shared]) await records.blobs.linkBlob('far/app', each, free);
      await records.blobs.linkBlob('far/second', shared, free);
      for (const repository of ['far/away/app', 'near/app']) await records.blobs.linkBlob(repository, other, free);
      const reference = ({ digest }: { digest: Digest }) => ({ digest, kind: 'blob' as const });
      const unused = manifest('unused', [reference(old), reference(shared)]);
      const image = manifest('image', [reference(young), reference(shared)]);
      const index = manifest('index', [{ digest: image.digest, kind: 'manifest' }]);
      for (const each of [unused, image, index]) await put('far/app', each, each.bytes.toString());
      const later = Date.now() + 10_000;
      const use = (digest: Digest, at: number, repository = 'far/app') =>
        records.cache.markUsed([{ repository, digest, at }]);
      await use(unused.digest, later);
      await use(old.digest, later - 5000);
      await use(shared.digest, later + 1, 'far/second');
      await use(index.digest, later + 2);
      await use(digestOf('nobody'), later, 'far/none');
      const sizes = young.size + shared.size;
      assert.equal(await records.cache.lastUseBeyond(far, sizes + old.size), undefined);
      assert.equal(await records.cache.lastUseBeyond(far, sizes + old.size - 1), later);
      assert.equal(await records.cache.lastUseBeyond(far, 0), later + 2);
      let removed = 0;
      for (let some = 1; some > 0; removed += some) some = await records.cache.removeUnused(far, later + 1, 1);
      assert.equal(removed, 2);
      for (const [digest, kept] of [
        [unused.digest, false],
        [image.digest, true],
        [index.digest, true],
      ] as const) {
        assert.equal((await records.manifests.findManifest('far/app', { digest })) !== undefined, kept);
      }
      assert.equal(await records.manifests.findManifest('far/app', { tag: 'unused' }), undefined);
      assert.equal(await records.blobs.findBlob('far/app', old.digest), undefined);
      for (const { digest } of [young, shared]) assert.ok(await records.blobs.findBlob('far/app', digest));
      while ((await records.cache.removeUnused(far, later + 3, 100)) > 0);
      assert.equal(await records.cache.lastUseBeyond(far, 0), undefined);
      for (const repository of ['far/away/app', 'near/app']) {
        assert.ok(await records.blobs.findBlob(repository, other.digest));
      }
    });

    it('uploads are known in their repository until they end', async () => {
      await records.uploads.beginUpload('id', 'up');
      assert.equal(await records.uploads.hasUpload('id', 'up'), true);
      assert.equal(await records.uploads.hasUpload('id', 'other'), false);
      assert.deepEqual(await records.uploads.uploadsBefore(Date.now() + 1000, 5), ['id']);
      await records.uploads.endUpload('id');
      assert.equal(await records.uploads.hasUpload('id', 'up'), false);
    });

    it('events are kept until all endpoints had them, and none that a failed write told of', async () => {
      const event = { ...push, repository: 'told' };
      await records.blobs.linkBlob('told', blob('told of'), { ...free, event });
      const refused = records.blobs.linkBlob('told', blob('refused'), {
        quotas: [{ prefix: 'told', bytes: 1 }],
        event,
      });
      await assert.rejects(refused);
      await records.events.addEvent(push);
      const events = await records.events.nextEvents('x', 10);
      assert.deepEqual(
        events.map((one) => one.event.repository),
        ['told', 'a'],
      );
      const both = { endpoints: ['x', 'y'], keep: 100 };
      await records.events.delivered('x', events[0]?.id ?? 0, both);
      assert.equal((await records.events.nextEvents('x', 10)).length, 1);
      assert.equal((await records.events.nextEvents('y', 10)).length, 2);
      await records.events.delivered('y', events[1]?.id ?? 0, both);
      assert.equal((await records.events.nextEvents('z', 10)).length, 1);
    });

    it('totals count what is there', async () => {
      const totals = await records.lists.totals();
      assert.ok(totals.repositories > 0 && totals.manifests > 0 && totals.tags > 0 && totals.blobBytes > 0);
    });
  });
}

recordsSuite('records in SQLite', async () => {
  const root = mkdtempSync('/tmp/registry-records-');
  const database = openDatabase(join(root, 'registry.db'), registryMigrations);
  return {
    records: createSqliteRecords(database),
    close: async () => {
      database.close();
      rmSync(root, { recursive: true });
    },
  };
});

describe('with PostgreSQL', { skip: postgresPrograms() === undefined && 'no PostgreSQL server is installed' }, () => {
  recordsSuite('records in PostgreSQL', async () => {
    const server = await TestPostgres.start();
    const database = await PostgresDatabase.open(await server.database(), silentLogger);
    return {
      records: createRecords(database),
      close: async () => {
        await database.close();
        await server[Symbol.asyncDispose]();
      },
    };
  });
});
