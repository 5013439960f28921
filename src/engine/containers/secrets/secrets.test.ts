import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EngineFixture, enterPrivateMounts } from '#testkit';

enterPrivateMounts();

const value = 'correct-horse-battery-staple';
const place = { path: '/run/secrets/token', uid: 12, gid: 34, mode: 0o400 };
const offline = { networkMode: 'none' };
const shown = 'stat -c "%a %u %g" /run/secrets/token; cat /run/secrets/token; echo';

describe('secrets of containers', () => {
  let fixture: EngineFixture;
  before(async () => {
    fixture = await EngineFixture.create();
  });
  after(() => fixture[Symbol.asyncDispose]());

  const output = async (id: string) => {
    const query = { stdout: true, stderr: true, follow: false };
    const lines: string[] = [];
    const log = await fixture.engine.containers.logs(id, query);
    for await (const batch of log) lines.push(...batch.map(({ text }) => `${text}\n`));
    return lines.join('');
  };
  const ended = (id: string) =>
    fixture.engine.containers.wait(id, 'not-running', {
      registered: () => undefined,
      signal: new AbortController().signal,
    });
  const create = async (script: string) =>
    (await fixture.engine.containers.create(fixture.request(['sh', '-c', script], {}, offline))).id;
  const put = (id: string, text = value) => fixture.engine.containers.putSecret(id, place, Buffer.from(text));
  const remove = (id: string) => fixture.engine.containers.remove(id, { force: true, volumes: true, link: false });

  test('the container sees the file with its owner and mode, and cannot write it', async () => {
    const id = await create(`${shown}; echo x > /run/secrets/token || echo refused`);
    await put(id);
    await fixture.engine.containers.start(id);
    await ended(id);
    assert.match(await output(id), new RegExp(`^400 12 34\n${value}\n[^]*refused`));
    await remove(id);
  });

  test('the value is in no file on disk and in nothing that is told of the container', async () => {
    const id = await create('sleep 600');
    // No container of this file prints this one, so no log has it.
    const unseen = 'purple-monkey-dishwasher';
    await put(id, unseen);
    await fixture.engine.containers.start(id);
    assert.doesNotMatch(JSON.stringify(await fixture.engine.containers.get(id)), /secrets|monkey/);
    const data = join(fixture.directory, 'data');
    const grep = () => execFileSync('grep', ['-rl', unseen, data], { encoding: 'utf8' });
    assert.ok(readdirSync(data).length > 0);
    assert.throws(grep, { status: 1 });
    await remove(id);
  });

  test('it lasts over restarts of the container and of the engine, and goes with the container', async () => {
    const id = await create(shown);
    await put(id);
    await fixture.engine.containers.start(id);
    await ended(id);
    await fixture.restart();
    await fixture.engine.containers.start(id);
    await ended(id);
    assert.equal((await output(id)).split(value).length, 3);
    await remove(id);
    await fixture.restart();
    assert.deepEqual(readdirSync(join(fixture.directory, 'run', 'secrets')), []);
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(id));
  });

  test('a running container sees the new content of a path', async () => {
    const id = await create('while grep -q old /run/secrets/token; do sleep 0.1; done; cat /run/secrets/token');
    await put(id, 'the old one, which is longer');
    await fixture.engine.containers.start(id);
    await put(id, 'new');
    await ended(id);
    assert.equal(await output(id), 'new\n');
    await remove(id);
  });

  test('after a boot a start says that the secret is gone, and it can be given again', async () => {
    const id = await create(shown);
    await put(id);
    execFileSync('umount', [join(fixture.directory, 'run', 'secrets', id)]);
    await assert.rejects(
      fixture.engine.containers.start(id),
      /secret \/run\/secrets\/token .* is gone.* give it again/,
    );
    await put(id);
    await fixture.engine.containers.start(id);
    await ended(id);
    assert.match(await output(id), new RegExp(value));
    await remove(id);
  });

  test('bad places, paths of mounts and too much content are refused and leave the container as it was', async () => {
    const { containers } = fixture.engine;
    const request = fixture.request(['true'], {}, { ...offline, tmpfs: { '/run/secrets/mounted': '' } });
    const { id } = await containers.create(request);
    const bytes = Buffer.from('x');
    for (const path of ['relative', '/', '/a/']) {
      await assert.rejects(containers.putSecret(id, { ...place, path }, bytes), /give the absolute path of a file/);
    }
    await assert.rejects(containers.putSecret(id, { ...place, mode: 0o4755 }, bytes), /invalid mode 4755/);
    await assert.rejects(containers.putSecret(id, { ...place, uid: -1 }, bytes), /invalid owner -1/);
    await assert.rejects(containers.putSecret(id, { ...place, path: '/run/secrets/mounted' }, bytes), /has a mount at/);
    await assert.rejects(containers.putSecret(id, place, Buffer.alloc(17 * 1024 * 1024)), /at most 16777216 bytes/);
    await containers.start(id);
    await ended(id);
    await remove(id);
  });
});
