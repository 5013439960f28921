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

const files = { a: 'a', b: 'b', '.dockerignore': 'a\n' };

test('a Dockerfile that does not come with the context is none of its files', async () => {
  const text = 'FROM busybox\nCOPY . /c\nRUN ls -A /c\n';
  const { output } = await fixture.build(files, { dockerfile: 'My.file', recipe: { text } });
  assert.equal(output, '.dockerignore\nb\n');
  const own = await fixture.build(files, { dockerfile: 'My.file', recipe: { text, ignore: 'b\n' } });
  assert.equal(own.output, '.dockerignore\na\n');
  await assert.rejects(fixture.build(files, { dockerfile: 'My.file', recipe: { text: 'NO\n' } }), /My\.file/);
});

test('the login at a registry is asked for when it is needed, and no other', async () => {
  const asked: string[] = [];
  const login = (registry: string) => {
    asked.push(registry);
    return Promise.resolve(undefined);
  };
  await fixture.build({ Dockerfile: 'FROM busybox\n' }, { login });
  assert.deepEqual(asked, []);
  for (const name of ['absent', 'example.invalid:5000/x']) {
    await assert.rejects(fixture.build({ Dockerfile: `FROM ${name}\n` }, { login }), /no registry in this test/);
  }
  assert.deepEqual(asked, ['docker.io', 'example.invalid:5000']);
});
