import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { extract } from 'tar-stream';
import { enterPrivateMounts } from '#testkit';
import { BuilderFixture } from './fixture.test.ts';

enterPrivateMounts();

let fixture: BuilderFixture;
before(async () => {
  fixture = await BuilderFixture.create();
});
after(() => fixture.dispose());

test('the files of an image are lent for a while, and cannot be changed', async () => {
  const { imageId } = await fixture.build({ Dockerfile: 'FROM scratch\nCOPY a b/\nCOPY c /\n', a: 'a', c: 'c' });
  const { signal } = new AbortController();
  let lent = '';
  await fixture.builder.readFiles(imageId, async ({ directory, tar }) => {
    lent = directory;
    assert.deepEqual(readdirSync(directory).sort(), ['b', 'c']);
    assert.equal(readFileSync(join(directory, 'b/a'), 'utf8'), 'a');
    assert.throws(() => writeFileSync(join(directory, 'd'), ''), { code: 'EROFS' });
    const names: string[] = [];
    for await (const entry of (await tar(signal)).pipe(extract())) {
      names.push(entry.header.name);
      entry.resume();
    }
    assert.deepEqual(names, ['b/', 'b/a', 'c']);
  });
  assert.throws(() => readdirSync(lent), { code: 'ENOENT' });
});

test('whoever fails with them leaves nothing behind', async () => {
  const { imageId } = await fixture.build({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a' });
  let lent = '';
  const use = ({ directory }: { directory: string }) => {
    lent = directory;
    return Promise.reject(new Error('no more room'));
  };
  await assert.rejects(fixture.builder.readFiles(imageId, use), /no more room/);
  assert.throws(() => readdirSync(lent), { code: 'ENOENT' });
  await assert.rejects(fixture.builder.readFiles(`sha256:${'0'.repeat(64)}`, use), { kind: 'not-found' });
});
