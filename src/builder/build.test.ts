import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enterPrivateMounts } from '#testkit';
import { BuilderFixture } from './fixture.test.ts';

enterPrivateMounts();

let fixture: BuilderFixture;
before(async () => {
  fixture = await BuilderFixture.create();
});
after(() => fixture.dispose());

test('a build runs commands in a container and keeps what they change as layers', async () => {
  const { image, output } = await fixture.build({
    Dockerfile: 'FROM busybox\nRUN echo hello && id -u && echo x > /x\nRUN test -f /x && rm /x\n',
  });
  assert.equal(output, 'hello\n0\n');
  assert.equal(image.layers.length, 3);
  const [, first] = image.config.rootfs.diff_ids;
  assert.ok(first);
  const names = fixture.images.listLayer(first).map((line) => line.split(' ').at(-1));
  assert.deepEqual(names, ['x']);
  assert.match(fixture.topLayer(image).join('\n'), /\.wh\.x$/m);
  assert.deepEqual(await fixture.leftovers(), []);
});
