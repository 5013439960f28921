import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { digestOf } from '#base';
import { mediaTypes } from '#oci';
import { type Answer, codeOf, TestRegistry } from '../fixture.test.ts';

const tagsOf = (answer: Answer) => (JSON.parse(answer.text) as { tags: string[] }).tags;
const namesOf = (answer: Answer) => (JSON.parse(answer.text) as { repositories: string[] }).repositories;
const linkOf = (answer: Answer) => /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];

describe('content discovery (distribution-spec, "Content Discovery"):', () => {
  let registry: TestRegistry;
  const tags = ['10', '9', 'B', 'a', 'b', 'test1', 'test2'];
  before(async () => {
    registry = await TestRegistry.start();
    for (const tag of [...tags].reverse()) await registry.pushImage('some/app', tag);
    await registry.pushImage('a/first', 'x');
    await registry.pushImage('some/app-two', 'x');
  });
  after(() => registry[Symbol.asyncDispose]());

  it('lists tags in ASCII order', async () => {
    const answer = await registry.send('GET', '/v2/some/app/tags/list');
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text), { name: 'some/app', tags });
    assert.equal(answer.headers.get('link'), null);
  });

  it('lists tags in pages that a Link leads through', async () => {
    const found: string[] = [];
    let next: string | undefined = '/v2/some/app/tags/list?n=3';
    const lengths: number[] = [];
    while (next !== undefined) {
      const answer: Answer = await registry.send('GET', next);
      found.push(...tagsOf(answer));
      lengths.push(tagsOf(answer).length);
      next = linkOf(answer);
    }
    assert.deepEqual(found, tags);
    assert.deepEqual(lengths, [3, 3, 1]);
  });

  it('lists tags after one that need not exist, and none for n=0', async () => {
    const list = async (query: string) => registry.send('GET', `/v2/some/app/tags/list?${query}`);
    assert.deepEqual(tagsOf(await list('last=test1')), ['test2']);
    assert.deepEqual(tagsOf(await list('last=b0')), ['test1', 'test2']);
    assert.deepEqual(tagsOf(await list('n=0')), []);
    assert.deepEqual(tagsOf(await list('n=7')), tags);
    assert.equal(linkOf(await list('n=7')), undefined);
    for (const bad of ['n=-1', 'n=x', 'n=1e3']) {
      assert.equal(codeOf(await list(bad)), 'PAGINATION_NUMBER_INVALID');
    }
  });

  it('lists repositories in pages', async () => {
    assert.deepEqual(namesOf(await registry.send('GET', '/v2/_catalog')), ['a/first', 'some/app', 'some/app-two']);
    const first = await registry.send('GET', '/v2/_catalog?n=2');
    assert.deepEqual(namesOf(first), ['a/first', 'some/app']);
    assert.deepEqual(namesOf(await registry.send('GET', linkOf(first) ?? '')), ['some/app-two']);
  });

  it('lists what refers to a manifest, filtered by type, and nothing for one that nobody knows', async () => {
    const image = await registry.pushImage('some/app', 'subject', 's');
    const subject = { mediaType: mediaTypes.ociManifest, digest: image.digest, size: image.size };
    const annotations = { 'org.example.kind': 'signature' };
    const bom = { ...image.config, mediaType: 'application/x.bom' };
    const referrer = (more: Record<string, unknown>, config = bom) => ({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers: [image.layer],
      subject,
      ...more,
    });
    const signature = JSON.stringify(referrer({ artifactType: 'application/x.signature', annotations }));
    const plain = JSON.stringify(referrer({}));
    for (const manifest of [signature, plain]) {
      const pushed = await registry.pushManifest('some/app', digestOf(manifest), manifest);
      assert.equal(pushed.headers.get('oci-subject'), image.digest);
    }
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], subject, artifactType: 'x/index' };
    await registry.pushManifest('some/app', 'about', index, mediaTypes.ociIndex);

    const all = await registry.send('GET', `/v2/some/app/referrers/${image.digest}`);
    assert.equal(all.status, 200);
    assert.equal(all.headers.get('content-type'), mediaTypes.ociIndex);
    const entries = (JSON.parse(all.text) as { manifests: Record<string, unknown>[] }).manifests;
    const expected = [
      {
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(signature),
        size: signature.length,
        artifactType: 'application/x.signature',
        annotations,
      },
      {
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(plain),
        size: plain.length,
        artifactType: 'application/x.bom',
      },
      {
        mediaType: mediaTypes.ociIndex,
        digest: digestOf(JSON.stringify(index)),
        size: JSON.stringify(index).length,
        artifactType: 'x/index',
      },
    ].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    assert.deepEqual(entries, expected);

    const some = await registry.send('GET', `/v2/some/app/referrers/${image.digest}?artifactType=application/x.bom`);
    assert.equal(some.headers.get('oci-filters-applied'), 'artifactType');
    assert.deepEqual(
      (JSON.parse(some.text) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest),
      [digestOf(plain)],
    );
    const page = await registry.send('GET', `/v2/some/app/referrers/${image.digest}?n=2`);
    const rest = await registry.send('GET', linkOf(page) ?? '');
    assert.equal((JSON.parse(rest.text) as { manifests: unknown[] }).manifests.length, 1);

    const none = await registry.send('GET', `/v2/some/app/referrers/${digestOf('nobody')}`);
    assert.equal(none.status, 200);
    assert.deepEqual((JSON.parse(none.text) as { manifests: unknown[] }).manifests, []);
    assert.equal((await registry.send('GET', '/v2/some/app/referrers/bad')).status, 400);
  });

  it('takes a referrer before the manifest that it is about', async () => {
    const { config, layer } = await registry.pushImage('some/late', 'x', 'late');
    const later = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers: [layer],
      annotations: { a: 'b' },
    };
    const bytes = JSON.stringify(later);
    const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
    const early = await registry.pushManifest('some/late', 'early', { ...later, subject });
    assert.equal(early.status, 201);
    assert.equal((await registry.pushManifest('some/late', 'later', bytes)).status, 201);
    const answer = await registry.send('GET', `/v2/some/late/referrers/${subject.digest}`);
    assert.equal((JSON.parse(answer.text) as { manifests: unknown[] }).manifests.length, 1);
  });
});
