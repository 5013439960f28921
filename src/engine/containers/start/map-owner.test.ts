import assert from 'node:assert/strict';
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EngineFixture, enterPrivateMounts } from '#testkit';
import { exchangeIds } from './map-owner.ts';

enterPrivateMounts();

describe('exchangeIds', () => {
  const seenAs = (id: number, ...pair: [number, number]) =>
    (exchangeIds(...pair) ?? [{ containerID: 0, hostID: 0, size: 2 ** 32 - 1 }])
      .filter(({ containerID, size }) => id >= containerID && id < containerID + size)
      .map(({ containerID, hostID }) => id - containerID + hostID);

  test('two ids change places, each other id is itself, and each is mapped once', () => {
    for (const pair of [
      [1000, 0],
      [0, 1000],
      [33, 34],
      [34, 33],
      [7, 7],
      [0, 2 ** 32 - 2],
    ] as [number, number][]) {
      const [owner, user] = pair;
      assert.deepEqual(seenAs(owner, ...pair), [user]);
      assert.deepEqual(seenAs(user, ...pair), [owner]);
      for (const id of [0, 1, 35, 5000, 2 ** 32 - 2]) {
        if (!pair.includes(id)) assert.deepEqual(seenAs(id, ...pair), [id]);
      }
    }
  });
});

describe('bind mounts whose owner is mapped', () => {
  let fixture: EngineFixture;
  let source: string;
  before(async () => {
    fixture = await EngineFixture.create();
    source = join(fixture.directory, 'project');
    mkdirSync(source);
    writeFileSync(join(source, 'theirs'), 'x');
    for (const path of [source, join(source, 'theirs')]) chownSync(path, 1234, 2345);
  });
  after(() => fixture[Symbol.asyncDispose]());

  const mount = (idMapping: { source: 'match-user'; user?: string }, path = source, readonly = false) =>
    ({ type: 'bind', source: path, target: '/mnt', readonly, createSource: false, idMapping }) as const;

  const run = async (script: string, mounted: ReturnType<typeof mount>, user = '') => {
    const request = fixture.request(['sh', '-c', script], {}, { mounts: [mounted], networkMode: 'none' });
    const id = await fixture.run({ ...request, process: { ...request.process, user } });
    const { containers } = fixture.engine;
    const signal = new AbortController().signal;
    const { exitCode } = await containers.wait(id, 'not-running', { registered: () => undefined, signal });
    const lines: string[] = [];
    const log = await containers.logs(id, { stdout: true, stderr: true, follow: false });
    for await (const batch of log) lines.push(...batch.map(({ text }) => String(text)));
    await containers.remove(id, { force: true, volumes: true, link: false });
    return `${lines.join('\n')} ${exitCode}`;
  };
  const owner = (name: string) => {
    const { uid, gid } = statSync(join(source, name));
    return `${uid}:${gid}`;
  };

  test("files are the container user's inside, and what it makes is the source's owner's outside", async () => {
    const output = await run('stat -c "%u:%g" /mnt/theirs; touch /mnt/made', mount({ source: 'match-user' }), '33:44');
    assert.equal(output, '33:44 0');
    assert.equal(owner('made'), '1234:2345');
  });

  test('it works for root, for a user that is named, and read-only', async () => {
    assert.equal(await run('stat -c "%u:%g" /mnt/theirs; touch /mnt/root', mount({ source: 'match-user' })), '0:0 0');
    assert.equal(owner('root'), '1234:2345');
    const named = mount({ source: 'match-user', user: '55:66' });
    assert.equal(await run('stat -c "%u:%g" /mnt/theirs; touch /mnt/byroot', named), '55:66 0');
    assert.equal(owner('byroot'), '0:0');
    const readonly = mount({ source: 'match-user' }, source, true);
    assert.match(await run('stat -c "%u:%g" /mnt/theirs; touch /mnt/no', readonly), /^0:0\n.*Read-only file system 1$/);
  });

  test('a file system without mapped mounts gives an error that says so', async () => {
    await assert.rejects(
      run('true', mount({ source: 'match-user' }, '/proc/fs'), '33'),
      /cannot map the owner of \/proc\/fs for \/mnt: .*leave bind-idmap out/,
    );
    const [{ id = '' } = {}] = await fixture.engine.containers.list({ all: true });
    await fixture.engine.containers.remove(id, { force: true, volumes: true, link: false });
  });
});
