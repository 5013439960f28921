import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { invalid } from '#base';
import { enterPrivateMounts } from '#testkit';
import type { NamedContext } from './builder.ts';
import { BuilderFixture } from './fixture.test.ts';

enterPrivateMounts();

let fixture: BuilderFixture;
before(async () => {
  fixture = await BuilderFixture.create();
  await fixture.build({ Dockerfile: 'FROM busybox\nENV WHO=other\nRUN echo other > /f\n' }, { tags: ['other:1'] });
});
after(() => fixture.dispose());

const dockerfile = (...lines: string[]) => ({ Dockerfile: `${lines.join('\n')}\n` });
const image = (reference: string): NamedContext => ({ kind: 'image', reference });

/** A tree of the client's that counts how often it is read. */
class Tree {
  readonly kind = 'tree';
  readonly #tar: Buffer;
  reads = 0;

  constructor(tar: Buffer) {
    this.#tar = tar;
  }

  async read(): Promise<Readable> {
    this.reads++;
    return Readable.from([this.#tar]);
  }
}

const tree = async (files: Record<string, string>) => new Tree(await fixture.context(files));

test('COPY, bind mounts and FROM take files of a named context, read once, as root without what it ignores', async () => {
  const c = await tree({ f: 'hello\n', 'sub/s': 's', ign: '', '.dockerignore': 'ign\n' });
  const { output, image: built } = await fixture.build(
    dockerfile(
      'FROM c AS all',
      'FROM busybox',
      'COPY --from=c . /c/',
      'COPY --from=all . /d/',
      'COPY --from=c f sub /e/',
      'RUN --mount=from=c,target=/m find /c /d /e /m -type f | sort | xargs stat -c "%n %u:%g"; touch /m/x 2>/dev/null || echo readonly',
      'RUN --mount=from=c,source=sub/s,target=/file cat /file',
    ),
    { contexts: { c } },
  );
  const paths = ['c/.dockerignore', 'c/f', 'c/sub/s', 'd/.dockerignore', 'd/f', 'd/sub/s', 'e/f', 'e/s'];
  const lines = [...paths, 'm/.dockerignore', 'm/f', 'm/sub/s'].map((path) => `/${path} 0:0`);
  assert.equal(output, [...lines, 'readonly', 's'].join('\n'));
  assert.equal(c.reads, 1);
  assert.equal(built.layers.length, 4);
  assert.deepEqual(await fixture.leftovers(), []);
});

test('FROM a named context is an empty image with its files', async () => {
  const c = await tree({ f: 'hello\n' });
  const { image: built } = await fixture.build(dockerfile('FROM c', 'LABEL a=b'), { contexts: { c } });
  const names = fixture.listLayer(built, 0).map((line) => line.split(' ').at(-1));
  assert.deepEqual(names, ['f']);
  assert.deepEqual(built.config.config, { Labels: { a: 'b' } });
  assert.match(built.config.history?.[0]?.created_by ?? '', /^\/bin\/sh -c #\(nop\) COPY dir:[0-9a-f]{64} in \/ $/);
});

test('a named context is read only where a needed step uses it, and its content decides about the cache', async () => {
  const [unused, used] = [await tree({ f: 'unused' }), await tree({ f: 'used' })];
  const text = dockerfile('FROM unused AS no', 'FROM scratch', 'COPY --from=used f /');
  const first = await fixture.build(text, { contexts: { unused, used } });
  assert.deepEqual([unused.reads, used.reads], [0, 1]);
  const again = await fixture.build(text, { contexts: { used: await tree({ f: 'used' }) } });
  assert.deepEqual([again.cached, again.imageId], [[2], first.imageId]);
  const changed = await fixture.build(text, { contexts: { used: await tree({ f: 'changed' }) } });
  assert.deepEqual(changed.cached, []);
});

test('what a step writes to a writable mount of a context is gone with the step', async () => {
  const c = await tree({ f: 'hello\n' });
  const { output } = await fixture.build(
    {
      ...dockerfile(
        'FROM busybox',
        'RUN --mount=from=c,target=/m,rw --mount=target=/ctx,rw echo new > /m/f; touch /m/x /ctx/x; cat /m/f; ls /m /ctx',
        'RUN --mount=from=c,target=/m --mount=from=c,source=f,target=/file,rw echo new > /file; cat /m/f; ls /m',
      ),
    },
    { contexts: { c } },
  );
  assert.equal(output, 'new\n/ctx:\nDockerfile\nx\n\n/m:\nf\nx\nhello\nf\n');
  assert.deepEqual(await fixture.leftovers(), []);
});

test('a named context that is an image stands for it in FROM, COPY and mounts', async () => {
  const { output } = await fixture.build(
    dockerfile(
      'FROM base:9',
      'RUN echo $WHO; cat /f',
      'COPY --from=files f /g',
      'RUN --mount=from=files,target=/m cat /g /m/f',
    ),
    { contexts: { 'base:9': image('other:1'), files: image('other:1') } },
  );
  assert.equal(output, 'other\n'.repeat(4));
});

test('names of contexts are compared as image names, tags too', async () => {
  const contexts = { 'docker.io/library/x:latest': image('other:1'), 'y:1': image('other:1') };
  for (const name of ['x', 'x:latest', 'docker.io/library/x', 'y:1', 'docker.io/y:1']) {
    const { output } = await fixture.build(dockerfile(`FROM ${name}`, 'RUN echo $WHO'), { contexts, noCache: true });
    assert.equal(output, 'other\n', name);
  }
  await assert.rejects(fixture.build(dockerfile('FROM y'), { contexts }), { kind: 'not-found' });
  await assert.rejects(fixture.build(dockerfile('FROM x:2'), { contexts }), { kind: 'not-found' });
});

test('a named context replaces the stage of its name, by number and as target too, but never scratch', async () => {
  const c = await tree({ f: 'context\n' });
  const contexts = { c, scratch: c };
  const text = dockerfile(
    'FROM nosuch AS c',
    'RUN never',
    'FROM busybox AS last',
    'COPY --from=c f /f',
    'COPY --from=0 f /g',
    'RUN cat /f /g',
  );
  const { output, events } = await fixture.build(text, { contexts });
  assert.equal(output, 'context\ncontext\n');
  const plan = events.find((event) => event.kind === 'plan');
  assert.deepEqual(
    plan?.steps.slice(0, 2).map((step) => step.text),
    ['FROM nosuch AS c', 'FROM busybox AS last'],
  );
  const targeted = await fixture.build(text, { contexts, target: 'c' });
  assert.equal(targeted.image.layers.length, 1);
  await assert.rejects(fixture.build(dockerfile('FROM scratch', 'COPY --from=scratch f /'), { contexts }), {
    message: /COPY failed: stat f: file does not exist/,
  });
});

test('triggers of an image that is a named context run for FROM, but not where it replaces a stage', async () => {
  await fixture.build(dockerfile('FROM busybox', 'ENV WHO=on', 'ONBUILD RUN echo trigger'), { tags: ['triggers:1'] });
  const contexts = { base: image('triggers:1'), stage: image('triggers:1') };
  const used = await fixture.build(dockerfile('FROM base', 'RUN echo $WHO'), { contexts });
  assert.equal(used.output, 'trigger\non\n');
  const text = dockerfile('FROM nosuch AS Stage', 'RUN never', 'FROM stage', 'RUN echo $WHO');
  assert.equal((await fixture.build(text, { contexts, noCache: true })).output, 'on\n');
});

test('what a named context does not have, or fails with, is told with its name and leaves nothing', async () => {
  const c = await tree({ f: '' });
  const failing: NamedContext = { kind: 'tree', read: () => Promise.reject(invalid('the client left')) };
  const broken: NamedContext = { kind: 'tree', read: async () => Readable.from([Buffer.alloc(2048, 'x')]) };
  const leaving: NamedContext = { kind: 'tree', read: async () => Readable.from([climbing]) };
  const climbing = await climbingTar();
  const cases: [string, RegExp][] = [
    ['COPY --from=c nope /', /COPY failed: .*stat nope: file does not exist/],
    ['RUN --mount=from=c,source=nope,target=/m true', /stat nope: file does not exist/],
    ['COPY --from=failing f /', /^build context failing: the client left$/],
    ['COPY --from=broken f /', /^build context broken: /],
    ['COPY --from=leaving f /', /^build context leaving: /],
  ];
  for (const [line, message] of cases) {
    const build = fixture.build(dockerfile('FROM busybox', line), { contexts: { c, failing, broken, leaving } });
    await assert.rejects(build, { message });
  }
  assert.deepEqual(await fixture.leftovers(), []);
});

test('an aborted build stops reading a named context and leaves nothing', async () => {
  const abort = new AbortController();
  const endless = new Readable({ read() {} });
  const slow: NamedContext = {
    kind: 'tree',
    read: async () => {
      setImmediate(() => abort.abort());
      return endless;
    },
  };
  const build = fixture.build(dockerfile('FROM slow'), { contexts: { slow }, signal: abort.signal });
  await assert.rejects(build, { kind: 'canceled' });
  assert.equal(endless.destroyed, true);
  assert.deepEqual(await fixture.leftovers(), []);
});

/** An archive that names a file above its root. */
async function climbingTar(): Promise<Buffer> {
  const tar = await fixture.context({ name: 'x' });
  const header = tar.subarray(tar.indexOf('./name'), tar.indexOf('./name') + 512);
  header.write('../name\0');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}
