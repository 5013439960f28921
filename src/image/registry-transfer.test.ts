import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { pack } from 'tar-stream';
import { isBerthError } from '#base';
import { createRegistryClient, type RegistryClient } from '#registry-client';
import { DistributionRegistry, ImageFixture, skipWithoutDistribution } from '#testkit';
import type { Progress } from './image.ts';

describe("pull and push with the distribution's registry", { skip: skipWithoutDistribution }, () => {
  let registry: DistributionRegistry;
  let host: string;
  const client = createRegistryClient();

  before(async () => {
    registry = await DistributionRegistry.start();
    host = registry.host;
  });
  after(async () => {
    client.close();
    await registry[Symbol.asyncDispose]();
  });

  const importFile = async (fixture: ImageFixture, text: string, target: string) => {
    const tar = pack();
    tar.entry({ name: 'file', mtime: new Date(0) }, text);
    tar.finalize();
    return fixture.images.import(Readable.from([await buffer(tar as AsyncIterable<Buffer>)]), { target });
  };
  const recorder = () => {
    const lines: Progress[] = [];
    return { lines, onProgress: (progress: Progress) => lines.push(progress) };
  };

  it('brings an image back with the same id, and pushes it again with the same digest', async () => {
    await using source = await ImageFixture.open({ registry: client });
    const name = `${host}/team/app:1`;
    const image = await importFile(source, 'x'.repeat(100_000), name);
    const pushed = recorder();
    const first = await source.images.push(name, pushed);
    assert.ok(pushed.lines.some((line) => line.status === `The push refers to repository [${host}/team/app]`));
    assert.ok(pushed.lines.some((line) => line.status === 'Pushed'));
    assert.ok(pushed.lines.some((line) => line.status.startsWith(`1: digest: ${first.digest} size: `)));
    const again = recorder();
    assert.deepEqual(await source.images.push(name, again), first);
    assert.ok(again.lines.some((line) => line.status === 'Layer already exists'));

    await using target = await ImageFixture.open({ registry: client });
    const pulled = recorder();
    const back = await target.images.pull(name, pulled);
    assert.equal(back.id, image.id);
    assert.equal(back.manifestDigest, first.digest);
    assert.equal(back.size, 100_000);
    assert.deepEqual(back.repoDigests, [`${host}/team/app@${first.digest}`]);
    const words = pulled.lines.map((line) => line.status);
    for (const status of [
      'Pulling from ',
      'Pulling fs layer',
      'Download complete',
      'Pull complete',
      'Digest: ',
      'Status: Downloaded newer image for ',
    ]) {
      assert.ok(
        words.some((word) => word.startsWith(status)),
        status,
      );
    }
    assert.equal((await target.images.get(`${host}/team/app@${first.digest}`)).id, image.id);
    const same = recorder();
    await target.images.pull(name, same);
    assert.ok(same.lines.some((line) => line.status.startsWith('Status: Image is up to date')));
    assert.deepEqual(await target.images.push(name, recorder()), first);
  });

  it('pushes and pulls all tags of a repository', async () => {
    await using source = await ImageFixture.open({ registry: client });
    const repository = `${host}/team/many`;
    const image = await importFile(source, 'many', `${repository}:1`);
    await source.images.tag(`${repository}:1`, `${repository}:2`);
    const pushed = recorder();
    await source.images.push(repository, { ...pushed, allTags: true });
    const digests = pushed.lines.filter((line) => /^[12]: digest: /.test(line.status));
    assert.equal(digests.length, 2);
    await using target = await ImageFixture.open({ registry: client });
    const pulled = recorder();
    await target.images.pull(repository, { ...pulled, allTags: true });
    assert.deepEqual((await target.images.get(image.id)).tags, [`${repository}:1`, `${repository}:2`]);
    assert.equal(pulled.lines.at(-1)?.status, `Status: Downloaded newer image for ${repository}`);
  });

  it('asks once, by HEAD, about a tag that has not changed', async () => {
    await using source = await ImageFixture.open({ registry: client });
    const name = `${host}/team/still:1`;
    await importFile(source, 'still', name);
    await source.images.push(name, recorder());
    const asked: string[] = [];
    const counting: RegistryClient = {
      ...client,
      repository: (of, login) => {
        const repository = client.repository(of, login);
        return new Proxy(repository, {
          get(target, method) {
            const value: unknown = Reflect.get(target, method);
            if (typeof value !== 'function') return value;
            asked.push(String(method));
            return value.bind(target);
          },
        });
      },
    };
    await using target = await ImageFixture.open({ registry: counting });
    await target.images.pull(name, recorder());
    asked.length = 0;
    await target.images.pull(name, recorder());
    assert.deepEqual(asked, ['resolve']);
  });

  it('keeps an image for several pulls at once and collections beside them', async () => {
    await using source = await ImageFixture.open({ registry: client });
    const name = `${host}/team/shared:1`;
    const image = await importFile(source, 'shared', name);
    await source.images.push(name, recorder());
    await using target = await ImageFixture.open({ registry: client });
    const work = [1, 2, 3].flatMap(() => [
      target.images.pull(name, recorder()),
      target.images.collectGarbage(new Set()),
    ]);
    await Promise.all(work);
    await target.images.collectGarbage(new Set());
    assert.equal((await target.images.get(name)).id, image.id);
    assert.ok((await buffer(await target.images.save([name]))).length > 0);
  });

  it('says not-found for what the registry does not have, and stores nothing', async () => {
    await using target = await ImageFixture.open({ registry: client });
    await assert.rejects(target.images.pull(`${host}/team/none:1`, recorder()), (error) =>
      isBerthError(error, 'not-found'),
    );
    await assert.rejects(target.images.push(`${host}/team/none:1`, recorder()), (error) =>
      isBerthError(error, 'not-found'),
    );
    assert.deepEqual(await target.images.list(), []);
  });
});
