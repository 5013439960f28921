import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Digest, digestOf, isBerthError } from '#base';
import { fuzzRounds, ImageFixture, mutate, seededNumbers } from '#testkit';

const run = promisify(execFile);
const silent = { onProgress: () => undefined };
/** Two layers, two names; saved by dockerd 28.5.2. */
const recorded = new URL('../../src/image/testdata/dockerd-28.5-save.tar', import.meta.url);
const id: Digest = 'sha256:becd15e3c48ae67d0622f9992f358af48cc1cf305f105e85595c7ac238d0e3a7';
const diffIds = [
  'sha256:1c13d6b3686c939828d3a02824c198c346ad348098146599f4cc305e91181cf1',
  'sha256:7a4a24ea083cb4c43f17071a6f026b2ef0ff26b0a8e475901dc935496b4781b2',
];
const hasSkopeo = (() => {
  try {
    execFileSync('skopeo', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

describe('an image that dockerd saved', () => {
  let directory: string;
  let fixture: ImageFixture;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-exchange-'));
    fixture = await ImageFixture.open();
  });
  after(async () => {
    await fixture[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  beforeEach(async () => {
    await fixture.images.load(createReadStream(recorded), silent);
  });
  const saved = async (file: string) => {
    const path = join(directory, file);
    await pipeline(await fixture.images.save(['recorded:1']), createWriteStream(path));
    return path;
  };

  it('is loaded with its id, layers and names, and unpacked', async () => {
    const image = await fixture.images.get('recorded:1');
    assert.equal(image.id, id);
    assert.deepEqual(image.config.rootfs.diff_ids, diffIds);
    assert.deepEqual(image.tags, ['docker.io/library/recorded:1', 'registry.example:5000/team/recorded:2']);
    const top = await fixture.images.unpack(image);
    assert.equal(readFileSync(join(await fixture.snapshots.directory(top ?? ''), 'two'), 'utf8'), 'two\n');
    assert.equal((await fixture.snapshots.stat(top ?? '')).parent, diffIds[0]);
  });

  it('is saved again with the same manifest, config and layers', async () => {
    const theirs = execFileSync('tar', ['-xOf', recorded.pathname, 'index.json'], { encoding: 'utf8' });
    const ours = execFileSync('tar', ['-xOf', await saved('again.tar'), 'index.json'], { encoding: 'utf8' });
    const digests = (text: string) =>
      new Set((JSON.parse(text) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest));
    assert.deepEqual(digests(ours), digests(theirs));
  });

  it('reaches skopeo as docker-archive, and comes back from an OCI layout with the same digests', {
    skip: !hasSkopeo,
  }, async () => {
    const archive = await saved('ours.tar');
    const layout = join(directory, 'layout.tar');
    await run('skopeo', ['--insecure-policy', 'copy', `docker-archive:${archive}`, `oci-archive:${layout}:recorded:3`]);
    await using other = await ImageFixture.open();
    const [loaded] = await other.images.load(createReadStream(layout), silent);
    assert.deepEqual(loaded?.image.config.rootfs.diff_ids, diffIds);
    // Skopeo writes a config and manifest of its own; from there on nothing changes any more.
    const path = join(directory, 'back.tar');
    await pipeline(await other.images.save([loaded?.image.id ?? '']), createWriteStream(path));
    const tree = join(directory, 'tree');
    execFileSync('sh', ['-c', `mkdir ${tree} && tar -xf ${path} -C ${tree}`]);
    const { stdout } = await run('skopeo', ['inspect', '--raw', `oci:${tree}`]);
    assert.equal(digestOf(stdout), loaded?.image.manifestDigest);
  });
});

describe('a damaged archive', () => {
  it('is loaded whole or refused, and leaves nothing behind', async () => {
    const archive = readFileSync(recorded);
    const rounds = fuzzRounds(60);
    await using fixture = await ImageFixture.open();
    for (let seed = 1; seed <= rounds; seed += 1) {
      const random = seededNumbers(seed);
      try {
        await fixture.images.load(Readable.from([mutate(archive, random)]), silent);
      } catch (error) {
        assert.ok(isBerthError(error, 'invalid'), `seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      }
      for (const image of await fixture.images.list()) {
        await fixture.images.remove(image.id, { force: true, noPrune: false, inUse: () => [] });
      }
      const left: Digest[] = [];
      for await (const blob of fixture.content.list()) left.push(blob.digest);
      assert.deepEqual(left, [], `seed ${seed}`);
      assert.deepEqual(await fixture.snapshots.list(), [], `seed ${seed}`);
    }
  });
});
