import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import Docker from 'dockerode';
import { notFound, unauthorized } from '#base';
import type { Image } from '#image';
import { startTestServer } from '../testing/fake-ports.ts';
import { sampleContainer } from '../testing/sample-container.ts';

const { imageId } = sampleContainer();

function sampleImage(changes: Partial<Image> = {}): Image {
  return {
    id: imageId,
    manifestDigest: imageId,
    config: {
      created: '2026-11-21T01:50:57.773736827Z',
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'], Env: ['PATH=/bin'], Labels: { a: 'b' } },
      rootfs: { type: 'layers', diff_ids: [imageId] },
    },
    layers: [],
    tags: ['docker.io/library/busybox:latest', 'localhost:5000/bb:1'],
    repoDigests: [],
    size: 1984233,
    parent: undefined,
    lastTaggedAt: 0,
    ...changes,
  };
}

async function bytesSent(
  socketPath: string,
  path: string,
  options: { method: string; total: number },
): Promise<number> {
  const sent = request({ socketPath, path, method: options.method, headers: { 'Content-Type': 'application/x-tar' } });
  const chunk = Buffer.alloc(64 * 1024);
  Readable.from(
    (function* () {
      for (let left = options.total; left > 0; left -= chunk.length) yield chunk;
    })(),
  ).pipe(sent);
  const [answer] = await once(sent, 'response');
  answer.resume();
  await once(answer, 'end');
  return answer.statusCode;
}

describe('image routes', () => {
  it('show familiar names in lists and inspect', async () => {
    await using api = await startTestServer({
      images: { list: async () => [sampleImage()], get: async () => sampleImage() },
    });
    const docker = new Docker({ socketPath: api.path });
    const [image] = await docker.listImages();
    assert.deepEqual(image?.RepoTags, ['busybox:latest', 'localhost:5000/bb:1']);
    assert.deepEqual([image?.Containers, image?.SharedSize, image?.Created], [1, -1, 1795225857]);
    const inspect = await docker.getImage('localhost:5000/bb:1').inspect();
    assert.equal(inspect.Id, imageId);
    assert.equal(inspect.Size, 1984233);
  });

  it('filter lists by reference, label and dangling', async () => {
    await using api = await startTestServer({ images: { list: async () => [sampleImage()] } });
    const docker = new Docker({ socketPath: api.path });
    const count = async (filters: Record<string, string[]>) => (await docker.listImages({ filters })).length;
    assert.equal(await count({ reference: ['busy*'] }), 1);
    assert.equal(await count({ reference: ['*/bb'] }), 1);
    assert.equal(await count({ reference: ['nope'] }), 0);
    assert.equal(await count({ label: ['a=b'] }), 1);
    assert.equal(await count({ label: ['a=c'] }), 0);
    assert.equal(await count({ dangling: ['true'] }), 0);
  });

  it('tell the manifest behind each image where asked to', async () => {
    await using api = await startTestServer({
      images: {
        list: async () => [sampleImage()],
        content: async () => ({ mediaType: 'application/x', manifestSize: 400, contentSize: 1000 }),
      },
    });
    const list = async (path: string): Promise<Record<string, unknown>[]> => {
      const [response] = await once(request({ socketPath: api.path, path }).end(), 'response');
      return JSON.parse(String((await once(response, 'data'))[0]));
    };
    const platform = { architecture: 'amd64', os: 'linux' };
    const descriptor = { mediaType: 'application/x', digest: imageId, size: 400, platform };
    const [image] = await list('/images/json?manifests=1');
    assert.deepEqual(image?.Manifests, [
      {
        ID: imageId,
        Descriptor: descriptor,
        Available: true,
        Kind: 'image',
        Size: { Content: 1000, Total: 1000 + 1984233 },
        ImageData: { Platform: platform, Containers: [sampleContainer().id], Size: { Unpacked: 1984233 } },
      },
    ]);
    assert.equal((await list('/v1.46/images/json?manifests=1'))[0]?.Manifests, undefined);
    assert.equal((await list('/images/json'))[0]?.Manifests, undefined);
  });

  it('hand the platform of a load on', async () => {
    const platforms: unknown[] = [];
    await using api = await startTestServer({
      images: {
        load: async (archive, { platform }) => {
          archive.resume();
          platforms.push(platform);
          return [];
        },
      },
    });
    const docker = new Docker({ socketPath: api.path });
    const answers = [docker.loadImage(Readable.from([])), docker.loadImage(Readable.from([]), { platform: 'arm64' })];
    for (const answer of await Promise.all(answers)) answer.resume();
    assert.deepEqual(platforms, [undefined, { os: 'linux', architecture: 'arm64' }]);
  });

  it('stream a pull as lines of progress', async () => {
    await using api = await startTestServer({
      images: {
        pull: async (name, { onProgress, credentials }) => {
          onProgress({ status: `Pulling from library/busybox`, id: 'latest' });
          onProgress({ status: 'Downloading', id: 'abc', current: 50, total: 100 });
          onProgress({ status: `Status: Downloaded newer image for ${name} ${credentials?.username}` });
          return sampleImage();
        },
      },
    });
    const docker = new Docker({ socketPath: api.path });
    const stream = await docker.pull('busybox:latest', {
      authconfig: { username: 'me', password: 'x', serveraddress: '' },
    });
    const seen = await new Promise<Record<string, unknown>[]>((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output)));
    });
    assert.deepEqual(seen[0], { status: 'Pulling from library/busybox', progressDetail: {}, id: 'latest' });
    assert.deepEqual(seen[1]?.progressDetail, { current: 50, total: 100 });
    assert.deepEqual(seen[2], { status: 'Status: Downloaded newer image for busybox:latest me' });
  });

  it('give a failure its own status before progress, and put it into the stream after', async () => {
    let late = false;
    await using api = await startTestServer({
      images: {
        pull: async (name, { onProgress }) => {
          if (late) onProgress({ status: 'Pulling' });
          throw notFound(`manifest for ${name} not found: manifest unknown: manifest unknown`);
        },
      },
    });
    const docker = new Docker({ socketPath: api.path });
    await assert.rejects(docker.pull('nope:1'), { statusCode: 404 });
    late = true;
    const stream = await docker.pull('nope:1');
    const seen = await new Promise<Record<string, unknown>[]>((resolve) => {
      docker.modem.followProgress(stream, (_error, output) => resolve(output));
    });
    const message = 'manifest for nope:1 not found: manifest unknown: manifest unknown';
    assert.deepEqual(seen.at(-1), { errorDetail: { message }, error: message });
  });

  it('do not make the client ask for a password where it offered none', async () => {
    let offered = false;
    await using api = await startTestServer({
      images: {
        pull: async () => {
          throw unauthorized('no basic auth credentials', { details: offered ? {} : { offered } });
        },
      },
    });
    const docker = new Docker({ socketPath: api.path });
    await assert.rejects(docker.pull('private:1'), { statusCode: 500 });
    offered = true;
    await assert.rejects(docker.pull('private:1'), { statusCode: 401 });
  });

  it('stream archives of any size in both directions', async () => {
    let received = 0;
    const count = async (archive: Readable) => {
      for await (const chunk of archive) received += chunk.length;
    };
    await using api = await startTestServer({
      images: {
        load: async (archive) => {
          await count(archive);
          return [{ image: sampleImage(), tags: ['docker.io/library/busybox:latest'] }];
        },
        save: async () => Readable.from([Buffer.from('tar')]),
      },
      containers: { writeArchive: async (_name, _path, archive) => count(archive) },
    });
    const total = 12 * 1024 * 1024;
    assert.equal(await bytesSent(api.path, '/images/load?quiet=1', { method: 'POST', total }), 200);
    assert.equal(received, total);
    assert.equal(await bytesSent(api.path, '/containers/web/archive?path=/', { method: 'PUT', total }), 200);
    assert.equal(received, 2 * total);
    const docker = new Docker({ socketPath: api.path });
    const saved = await docker.getImage('busybox').get();
    assert.equal(String((await once(saved, 'data'))[0]), 'tar');
  });

  it('leave the newest versions of a tag to prune only when all unused images go', async () => {
    const digest = (digit: string): Image['id'] => `sha256:${digit.repeat(64)}`;
    let list = ['1', '2', '3'].map((digit) => sampleImage({ id: digest(digit), tags: digit === '3' ? ['app:1'] : [] }));
    await using api = await startTestServer({
      images: {
        list: async () => list,
        keptVersions: async () => new Set(list.some(({ tags }) => tags.length > 0) ? [digest('2')] : []),
        remove: async (name) => {
          const removed = list.filter(({ id, tags }) => id === name || tags.includes(name));
          list = list.filter((image) => !removed.includes(image));
          return removed.map(({ id }) => ({ deleted: id }));
        },
      },
      containers: { list: async () => [] },
    });
    const docker = new Docker({ socketPath: api.path });
    const prune = async (filters: Record<string, string[]>) => (await docker.pruneImages({ filters })).ImagesDeleted;
    assert.deepEqual(await prune({}), [{ Deleted: digest('1') }]);
    assert.deepEqual(await prune({ dangling: ['false'] }), [{ Deleted: digest('3') }, { Deleted: digest('2') }]);
  });

  it('show the versions of a tag, and roll it back', async () => {
    const asked: unknown[] = [];
    await using api = await startTestServer({
      images: {
        versions: async () => [
          { image: imageId, manifest: undefined, at: 1000, actor: { via: 'api', uid: 0 }, isPresent: true },
        ],
        rollBack: async (...given) => {
          asked.push(given);
          return sampleImage();
        },
      },
    });
    const call = async (method: string, path: string): Promise<unknown> => {
      const [response] = await once(request({ socketPath: api.path, path, method }).end(), 'response');
      return JSON.parse(String((await once(response, 'data'))[0]));
    };
    assert.deepEqual(await call('GET', '/berth/images/log?name=team/app'), [
      {
        ImageID: imageId,
        ManifestDigest: '',
        Time: '1970-01-01T00:00:01Z',
        Actor: { Via: 'api', Uid: 0 },
        Present: true,
      },
    ]);
    assert.deepEqual(await call('POST', '/berth/images/rollback?name=team/app&to=2'), {
      Name: 'team/app:latest',
      ImageID: imageId,
    });
    assert.deepEqual(asked, [['team/app', '2']]);
  });

  it('tell the store which containers use an image when it is removed', async () => {
    let users: unknown;
    await using api = await startTestServer({
      images: {
        remove: async (_name, { inUse, force }) => {
          users = [inUse(imageId), force];
          return [{ untagged: 'docker.io/library/busybox:latest' }, { deleted: imageId }];
        },
      },
    });
    const docker = new Docker({ socketPath: api.path });
    assert.deepEqual(await docker.getImage('busybox').remove({ force: true }), [
      { Untagged: 'busybox:latest' },
      { Deleted: imageId },
    ]);
    assert.deepEqual(users, [[{ id: sampleContainer().id, running: true }], true]);
  });
});
