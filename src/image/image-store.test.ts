import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { type Digest, digestOf, hexOf, isBerthError } from '#base';
import { ImageFixture } from '#testkit';
import type { Image } from './image.ts';

const silent = { onProgress: () => undefined };
const noUsers = { force: false, noPrune: false, inUse: () => [] };
const kind = (wanted: 'not-found' | 'invalid' | 'conflict', text?: string | RegExp) => (error: unknown) => {
  assert.ok(isBerthError(error, wanted), `${error}`);
  if (typeof text === 'string') assert.equal(error.message, text);
  else if (text !== undefined) assert.match(error.message, text);
  return true;
};

/** A tar of files by name, the same bytes each time. */
async function tarOf(files: Record<string, string | Buffer | { link: string }>): Promise<Buffer> {
  const tar = pack();
  for (const [name, value] of Object.entries(files)) {
    const mtime = new Date(0);
    if (typeof value === 'string' || Buffer.isBuffer(value)) tar.entry({ name, mtime }, value);
    else tar.entry({ name, mtime, type: 'symlink', linkname: value.link });
  }
  tar.finalize();
  return buffer(tar as AsyncIterable<Buffer>);
}

describe('the image store', () => {
  let fixture: ImageFixture;
  beforeEach(async () => {
    fixture = await ImageFixture.open();
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const importTar = async (files: Record<string, string>, target?: string): Promise<Image> =>
    fixture.images.import(Readable.from([await tarOf(files)]), target === undefined ? {} : { target });
  const blobs = async () => {
    const found: Digest[] = [];
    for await (const blob of fixture.content.list()) found.push(blob.digest);
    return found;
  };

  it("tells what happens to images, in Docker's words", async () => {
    const heard: string[] = [];
    await using told = await ImageFixture.open({
      onEvent: ({ action, id, name }) =>
        heard.push(`${action} ${id === image?.id ? 'ID' : id} ${name === id ? '' : name}`.trim()),
    });
    let image: Image | undefined;
    image = await told.images.import(Readable.from([await tarOf({ a: '1' })]), {});
    await told.images.tag(image.id, 'app:2');
    const archive = await buffer(await told.images.save(['app:2']));
    await told.images.remove('app:2', { ...noUsers });
    await told.images.load(Readable.from([archive]), silent);
    assert.deepEqual(heard, [`import ${image.id}`, 'tag ID app:2', 'save ID', 'untag ID', 'delete ID', 'load ID']);
  });

  describe('finds an image', () => {
    it('by tag, by repository, by id, by prefix and by manifest digest name', async () => {
      const image = await importTar({ a: '1' }, 'app:1');
      await fixture.images.tag('app:1', 'app');
      for (const name of [
        'app:1',
        'app',
        'docker.io/library/app:1',
        image.id,
        hexOf(image.id),
        hexOf(image.id).slice(0, 5),
      ]) {
        assert.equal((await fixture.images.get(name)).id, image.id, name);
      }
    });

    it("and says Docker's words where there is none", async () => {
      const get = (name: string) => fixture.images.get(name);
      await assert.rejects(get('nope:1'), kind('not-found', 'No such image: nope:1'));
      await assert.rejects(get('nope'), kind('not-found', 'No such image: nope:latest'));
      await assert.rejects(get('a b'), kind('invalid', 'invalid reference format'));
      await assert.rejects(get('BAD'), kind('invalid', /must be lowercase/));
      const id = digestOf('none');
      await assert.rejects(get(id), kind('not-found', `No such image: ${id}`));
    });
  });

  describe('imports', () => {
    it('a root file system, compressed or not, and unpacks it', async () => {
      const tar = await tarOf({ 'etc/motd': 'hello' });
      const image = await fixture.images.import(Readable.from([gzipSync(tar)]), {
        target: 'base',
        config: { Cmd: ['sh'] },
      });
      assert.deepEqual(image.config.rootfs.diff_ids, [digestOf(tar)]);
      assert.deepEqual(image.tags, ['docker.io/library/base:latest']);
      assert.equal(image.size, 5);
      const chain = await fixture.images.unpack(image);
      assert.ok(chain);
      assert.equal(readFileSync(join(await fixture.snapshots.directory(chain), 'etc/motd'), 'utf8'), 'hello');
      const [line] = await fixture.images.history('base');
      assert.equal(line?.comment, 'Imported from -');
      assert.equal(line?.size, 5);
      assert.equal(line?.id, image.id);
    });

    it('nothing that is no tar, and leaves nothing behind', async () => {
      await assert.rejects(fixture.images.import(Readable.from([Buffer.alloc(2048, 'x')]), {}), kind('invalid'));
      await assert.rejects(fixture.images.import(Readable.from([]), {}), kind('invalid'));
      assert.deepEqual(await fixture.images.list(), []);
      assert.deepEqual(await fixture.snapshots.list(), []);
    });
  });

  it('unpacks a layer once however many ask for it', async () => {
    const image = await importTar({ a: '1' }, 'app');
    const chain = await fixture.images.unpack(image);
    assert.ok(chain);
    await fixture.snapshots.remove(chain);
    await Promise.all([1, 2, 3].map(() => fixture.images.unpack(image)));
    assert.equal((await fixture.snapshots.list()).length, 1);
  });

  it('makes a layer of a snapshot and an image of layers, the same ones each time', async () => {
    const base = await importTar({ a: 'base' }, 'base');
    const chain = await fixture.images.unpack(base);
    const build = async (key: string) => {
      await fixture.snapshots.prepare(key, chain);
      writeFileSync(join(await fixture.snapshots.directory(key), 'b'), 'new');
      execFileSync('touch', ['-d', '@1000', join(await fixture.snapshots.directory(key), 'b')]);
      return fixture.images.commitLayer(key, chain);
    };
    const layer = await build('one');
    assert.ok(layer);
    assert.equal((await build('two'))?.diffId, layer.diffId);
    assert.equal((await fixture.snapshots.stat(layer.chainId)).parent, chain);
    const diffIds = [...base.config.rootfs.diff_ids, layer.diffId];
    const config = { ...base.config, rootfs: { type: 'layers' as const, diff_ids: diffIds } };
    const layers = [...base.layers, layer.descriptor];
    const image = await fixture.images.create(config, layers, { tags: ['built'], parent: base.id });
    assert.equal(image.parent, base.id);
    assert.equal(image.size, 7);
    assert.equal((await fixture.images.create(config, layers)).manifestDigest, image.manifestDigest);
    await assert.rejects(fixture.images.create(config, base.layers), kind('invalid', /layers length mismatch/));
    await fixture.snapshots.prepare('empty', chain);
    assert.equal(await fixture.images.commitLayer('empty', chain, { skipEmpty: true }), undefined);
    assert.equal(await fixture.snapshots.has('empty'), false);
  });

  describe('tags', () => {
    it('move, and their log tells what they pointed to', async () => {
      const one = await importTar({ a: '1' }, 'app');
      const two = await importTar({ a: '2' }, 'app');
      assert.deepEqual((await fixture.images.get(one.id)).tags, []);
      await fixture.images.remove('app', { ...noUsers });
      assert.deepEqual(
        (await fixture.images.versions('app')).map(({ image, isPresent }) => [image, isPresent]),
        [
          [undefined, false],
          [two.id, false],
          [one.id, true],
        ],
      );
      await assert.rejects(fixture.images.versions('never'), kind('not-found', /^never:latest has no versions/));
    });

    it('go back to what they pointed to before, and forth again', async () => {
      const [one, two, three] = [
        await importTar({ a: '1' }, 'app'),
        await importTar({ a: '2' }, 'app'),
        await importTar({ a: '3' }, 'app'),
      ];
      assert.ok(one && two && three);
      assert.equal((await fixture.images.rollBack('app')).id, two.id);
      assert.equal((await fixture.images.get('app')).id, two.id);
      assert.equal((await fixture.images.rollBack('app')).id, three.id);
      assert.equal((await fixture.images.rollBack('app', one.id.slice(0, 20))).id, one.id);
      assert.equal((await fixture.images.rollBack('app:latest', '1')).id, three.id);
      await assert.rejects(fixture.images.rollBack('app', '99'), kind('not-found', /has no version 99/));
      await fixture.images.remove(two.id, { ...noUsers });
      await assert.rejects(fixture.images.rollBack('app', two.id), kind('not-found', /is gone/));
    });

    it('keep as many of their newest versions from pruning as asked for, while they exist', async () => {
      await using keeping = await ImageFixture.open({ keepVersions: 5 });
      const made: Digest[] = [];
      for (let text = 1; text <= 7; text += 1) {
        const archive = Readable.from([await tarOf({ a: `${text}` })]);
        made.push((await keeping.images.import(archive, { target: 'app' })).id);
      }
      assert.deepEqual(await keeping.images.keptVersions(), new Set(made.slice(-5)));
      await keeping.images.rollBack('app', made[0] ?? '');
      assert.deepEqual(await keeping.images.keptVersions(), new Set([...made.slice(-4), made[0]]));
      await keeping.images.remove('app', { ...noUsers });
      assert.deepEqual(await keeping.images.keptVersions(), new Set());
    });

    it('keep nothing from pruning unless asked to', async () => {
      await importTar({ a: '1' }, 'app');
      await importTar({ a: '2' }, 'app');
      assert.deepEqual(await fixture.images.keptVersions(), new Set());
    });

    it('are refused when malformed', async () => {
      await importTar({ a: '1' }, 'app');
      await assert.rejects(fixture.images.tag('app', 'UPPER'), kind('invalid'));
      await assert.rejects(fixture.images.tag('nope', 'x'), kind('not-found'));
    });
  });

  describe('removes', () => {
    it('a tag of several, then the image with blobs and snapshots', async () => {
      const image = await importTar({ a: '1' }, 'app:1');
      await fixture.images.tag('app:1', 'app:2');
      assert.deepEqual(await fixture.images.remove('app:1', noUsers), [{ untagged: 'app:1' }]);
      const chain = image.config.rootfs.diff_ids[0];
      await new Promise((resume) => setTimeout(resume, 2));
      assert.deepEqual(await fixture.images.remove('app:2', noUsers), [
        { untagged: 'app:2' },
        { deleted: image.id },
        { deleted: chain },
      ]);
      assert.deepEqual(await blobs(), []);
      assert.deepEqual(await fixture.snapshots.list(), []);
    });

    it('nothing that is in use, in the words that clients match on', async () => {
      const image = await importTar({ a: '1' }, 'app');
      const short = hexOf(image.id).slice(0, 12);
      const user = (running: boolean) => ({ ...noUsers, inUse: () => [{ id: 'abcdef0123456789', running }] });
      await assert.rejects(
        fixture.images.remove('app', user(false)),
        kind(
          'conflict',
          `conflict: unable to remove repository reference "app" (must force) - container abcdef012345 is using its referenced image ${short}`,
        ),
      );
      await assert.rejects(
        fixture.images.remove(image.id, user(true)),
        kind(
          'conflict',
          `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container abcdef012345`,
        ),
      );
      await assert.rejects(
        fixture.images.remove(image.id, user(false)),
        kind(
          'conflict',
          `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container abcdef012345`,
        ),
      );
      await fixture.images.tag('app', 'other:1');
      await assert.rejects(
        fixture.images.remove(short, noUsers),
        kind(
          'conflict',
          `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
        ),
      );
      assert.equal((await fixture.images.remove(short, { ...noUsers, force: true })).length, 4);
    });
  });

  describe('saves and loads', () => {
    it('an image to the same id, manifest and layers', async () => {
      const image = await importTar({ 'usr/bin/x': 'program' }, 'app:1');
      await fixture.images.tag('app:1', 'registry.example:5000/team/app:2');
      const archive = await buffer(await fixture.images.save(['app:1', 'registry.example:5000/team/app:2']));
      await using other = await ImageFixture.open();
      const [loaded] = await other.images.load(Readable.from([archive]), silent);
      assert.equal(loaded?.image.id, image.id);
      assert.equal(loaded?.image.manifestDigest, image.manifestDigest);
      assert.deepEqual(loaded?.tags.toSorted(), ['docker.io/library/app:1', 'registry.example:5000/team/app:2']);
      assert.deepEqual(await buffer(await other.images.save(['app:1', 'registry.example:5000/team/app:2'])), archive);
    });

    it('a compressed archive, and an OCI layout without manifest.json', async () => {
      const image = await importTar({ a: '1' }, 'app:1');
      const archive = await buffer(await fixture.images.save(['app:1']));
      const directory = join(fixture.directory, 'layout');
      mkdirSync(directory);
      execFileSync('tar', ['-x', '-C', directory], { input: archive });
      rmSync(join(directory, 'manifest.json'));
      rmSync(join(directory, 'repositories'));
      const layout = execFileSync('tar', ['-cz', '-C', directory, '.']);
      for (const bytes of [gzipSync(archive), layout]) {
        await using other = await ImageFixture.open();
        const [loaded] = await other.images.load(Readable.from([bytes]), silent);
        assert.equal(loaded?.image.id, image.id);
        assert.deepEqual(loaded?.tags, ['docker.io/library/app:1']);
      }
    });

    it('an archive of an old docker: layer.tar paths and links between them', async () => {
      const layer = await tarOf({ a: '1' });
      const config = JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: [digestOf(layer), digestOf(layer)] },
      });
      const archive = await tarOf({
        '111/VERSION': '1.0',
        '111/layer.tar': layer,
        '222/layer.tar': { link: '../111/layer.tar' },
        'config.json': config,
        'manifest.json': JSON.stringify([
          { Config: 'config.json', RepoTags: ['old:1'], Layers: ['111/layer.tar', '222/layer.tar'] },
        ]),
      });
      const [loaded] = await fixture.images.load(Readable.from([archive]), silent);
      assert.equal(loaded?.image.id, digestOf(config));
      assert.equal(loaded?.image.layers.length, 2);
    });

    it('nothing of an archive that lies or is broken', async () => {
      const layer = await tarOf({ a: '1' });
      const config = (diffId: Digest) =>
        JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } });
      const manifest = (entry: object) => JSON.stringify([{ Config: 'c.json', Layers: ['l.tar'], ...entry }]);
      const hostile: Record<string, string | Buffer>[] = [
        { [`blobs/sha256/${'0'.repeat(64)}`]: 'altered' },
        { 'manifest.json': '{' },
        { 'manifest.json': '[{}]' },
        { 'manifest.json': manifest({}), 'l.tar': layer },
        { 'c.json': config(digestOf('other')), 'l.tar': layer, 'manifest.json': manifest({}) },
        { 'c.json': config(digestOf(layer)), 'l.tar': layer, 'manifest.json': manifest({ RepoTags: ['BAD'] }) },
        { 'c.json': config(digestOf(layer)), 'l.tar': layer, 'manifest.json': manifest({ Layers: [] }) },
        { 'c.json': 'null', 'l.tar': layer, 'manifest.json': manifest({}) },
        {
          'c.json': config(digestOf(layer)),
          'l.tar': layer,
          'manifest.json': manifest({ Layers: ['../../etc/passwd'] }),
        },
        { 'index.json': JSON.stringify({ schemaVersion: 2, manifests: [{}] }) },
        { unrelated: 'file' },
      ];
      for (const files of hostile) {
        await assert.rejects(fixture.images.load(Readable.from([await tarOf(files)]), silent), kind('invalid'));
      }
      await assert.rejects(fixture.images.load(Readable.from([Buffer.alloc(4096, 'x')]), silent), kind('invalid'));
      await assert.rejects(fixture.images.load(Readable.from([layer.subarray(0, 700)]), silent), kind('invalid'));
      assert.deepEqual(await fixture.images.list(), []);
      assert.deepEqual(await fixture.snapshots.list(), []);
      assert.deepEqual(await blobs(), []);
    });

    it("says Docker's words for what cannot be saved", async () => {
      await assert.rejects(fixture.images.save(['nope:1']), kind('not-found', 'reference does not exist'));
      await assert.rejects(fixture.images.save(['nope']), kind('not-found', 'No such image: nope'));
    });

    it('stops writing when the reader goes away', async () => {
      await importTar({ a: 'x'.repeat(5_000_000) }, 'app');
      const archive = await fixture.images.save(['app']);
      for await (const _ of archive) break;
      assert.ok(archive.destroyed);
    });
  });

  describe('collects garbage', () => {
    it('but keeps what images and named snapshots need', async () => {
      const kept = await importTar({ a: '1' }, 'kept');
      await fixture.snapshots.prepare('loose-active');
      await fixture.snapshots.commit('loose', 'loose-active');
      await fixture.snapshots.prepare('cached-active');
      await fixture.snapshots.commit('cached', 'cached-active');
      await fixture.snapshots.prepare('container', await fixture.images.unpack(kept));
      const writer = await fixture.content.writer();
      await writer.write(Buffer.from('nobody'));
      await writer.commit();
      await new Promise((resume) => setTimeout(resume, 2));
      assert.equal(await fixture.images.collectGarbage(new Set(['cached'])), 6);
      assert.equal(await fixture.content.has(digestOf('nobody')), false);
      const keys = (await fixture.snapshots.list()).map((snapshot) => snapshot.key);
      assert.deepEqual(keys, [kept.config.rootfs.diff_ids[0], 'cached', 'container']);
      const archive = await buffer(await fixture.images.save(['kept']));
      assert.ok(archive.length > 0);
    });
  });
});
