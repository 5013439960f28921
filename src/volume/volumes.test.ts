import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isBerthError } from '#base';
import type { MountEntry, MountRequest, Mounts, Processes } from '#host';
import { openDatabase } from '#metadata';
import { createVolumeService, type VolumeTrees, volumeMigrations } from './index.ts';

/** Mounts that only remember; what a real kernel does with them is tested with the engine. */
class RememberedMounts implements Mounts {
  readonly now = new Map<string, MountRequest>();
  async mount(request: MountRequest) {
    this.now.set(request.target, request);
  }
  async unmount(target: string) {
    this.now.delete(target);
  }
  async list() {
    return [...this.now.values()].map((request) => ({ target: request.target }) as MountEntry);
  }
}

/** Makes copies break off. */
let broken = false;

const processes = {
  run: (command, args) =>
    new Promise((resolve) => {
      if (broken) {
        writeFileSync(join(args.at(-1) ?? '', 'half'), '');
        resolve({ code: 1, stdout: '', stderr: 'killed' });
        return;
      }
      execFile(command, [...args], (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      });
    }),
} as Pick<Processes, 'run'> as Processes;

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Archives are read and written for real in the integration tests. */
const trees: VolumeTrees = {
  pack: () => Promise.reject(new Error('no archives here')),
  unpack: () => Promise.reject(new Error('no archives here')),
};

describe('volumes', () => {
  let directory: string;
  let mounts: RememberedMounts;
  const open = () => {
    const database = openDatabase(join(directory, 'db'), volumeMigrations);
    const plugins = { sockets: [join(directory, 'plugins')], specs: [join(directory, 'specs')] };
    return createVolumeService({ database, root: join(directory, 'volumes'), mounts, processes, plugins, trees });
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'volume-'));
    mounts = new RememberedMounts();
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('a created volume is listed, survives a restart, and creating it again gives the same one', async () => {
    const made = await open().create({ name: 'data', labels: { a: 'b' } });
    const volumes = open();
    assert.deepEqual(await volumes.list(), [made]);
    assert.deepEqual(await volumes.create({ name: 'data' }), made);
    assert.ok(statSync(made.mountpoint).isDirectory());
  });

  test('without a name it is anonymous and gets 64 hex digits', async () => {
    const volume = await open().create({});
    assert.match(volume.name, /^[0-9a-f]{64}$/);
    assert.equal(volume.anonymous, true);
  });

  for (const [why, request, text] of [
    ['a path as name', { name: '../x' }, /includes invalid characters for a local volume name/],
    ['a name of one letter', { name: 'a' }, /volume name is too short/],
    ['an unknown option', { name: 'vv', options: { foo: 'bar' } }, /create vv: invalid option: "foo"/],
    ['a type without device', { name: 'vv', options: { type: 'tmpfs' } }, /missing required option: "device"/],
    ['an unknown driver', { name: 'vv', driver: 'nope' }, /plugin "nope" not found/],
  ] as const) {
    test(`${why} is refused and leaves nothing`, async () => {
      const volumes = open();
      await assert.rejects(volumes.create(request), text);
      assert.deepEqual(await volumes.list(), []);
      assert.deepEqual(readdirSync(join(directory, 'volumes')), []);
    });
  }

  test('a volume in use is not removed, and the error names the user', async () => {
    const volumes = open();
    await volumes.create({ name: 'data' });
    await volumes.acquire('data', 'c0ffee');
    await assert.rejects(volumes.remove('data'), /remove data: volume is in use - \[c0ffee\]/);
    await volumes.release('c0ffee');
    await volumes.remove('data');
    await assert.rejects(volumes.get('data'), (error) => isBerthError(error, 'not-found'));
    assert.deepEqual(readdirSync(join(directory, 'volumes')), []);
  });

  test('a plugin keeps its volumes: it is told of each user, and its words are handed on', async () => {
    const told: string[] = [];
    const disk = join(directory, 'disk');
    const plugin = createServer(async (request, response) => {
      const { Name = '', ID = '' } = (await json(request)) as { Name?: string; ID?: string };
      const verb = request.url?.slice(1) ?? '';
      if (/Create|Remove|Mount|Unmount/.test(verb)) told.push(`${verb} ${Name} ${ID}`.trim());
      const answers: Record<string, object> = {
        'Plugin.Activate': { Implements: ['VolumeDriver'] },
        'VolumeDriver.Mount': { Mountpoint: disk, Err: '' },
        'VolumeDriver.Get': { Volume: { Name, Mountpoint: disk, Status: { replicas: 3 } }, Err: '' },
        'VolumeDriver.Capabilities': { Capabilities: { Scope: 'global' } },
        'VolumeDriver.List': { Volumes: [{ Name: 'far' }, { Name: 'foreign', CreatedAt: '2026-01-02T03:04:05Z' }, {}] },
      };
      response.end(JSON.stringify(Name === 'broken' ? { Err: 'disk is full' } : (answers[verb] ?? { Err: '' })));
    });
    mkdirSync(disk);
    mkdirSync(join(directory, 'specs'));
    writeFileSync(join(directory, 'specs/remote.spec'), `unix://${join(directory, 'remote.sock')}\n`);
    await new Promise<void>((resolve) => plugin.listen(join(directory, 'remote.sock'), resolve));
    try {
      const volumes = open();
      assert.equal((await volumes.create({ name: 'far', driver: 'remote' })).scope, 'global');
      assert.equal(await volumes.mount('far', 'one'), disk);
      assert.equal(await volumes.mount('far', 'two'), disk);
      const { mountpoint, scope, status } = await volumes.get('far');
      assert.deepEqual([mountpoint, scope, status], [disk, 'global', { replicas: 3 }]);
      await volumes.unmount('far', 'one');
      await volumes.unmount('far', 'one');
      writeFileSync(join(directory, 'specs/gone.spec'), `unix://${join(directory, 'gone.sock')}\n`);
      const { volumes: all, warnings } = await volumes.survey();
      assert.deepEqual(
        all.map(({ name, driver, scope, createdAt }) => [name, driver, scope, createdAt > 0]),
        [
          ['far', 'remote', 'global', true],
          ['foreign', 'remote', 'global', true],
        ],
      );
      assert.match(warnings.join(), /^volumes of driver gone: .*plugin "gone" does not answer/);
      assert.equal((await volumes.get('foreign')).createdAt, Date.UTC(2026, 0, 2, 3, 4, 5));
      await volumes.remove('foreign');
      // Another daemon: a user that goes on is no news to the plugin, but its end is.
      const later = open();
      await later.adopt('far', 'two');
      await later.unmount('far', 'two');
      await later.remove('far');
      assert.deepEqual(told, [
        'VolumeDriver.Create far',
        'VolumeDriver.Mount far one',
        'VolumeDriver.Mount far two',
        'VolumeDriver.Unmount far one',
        'VolumeDriver.Remove foreign',
        'VolumeDriver.Unmount far two',
        'VolumeDriver.Remove far',
      ]);
      await assert.rejects(
        volumes.create({ name: 'broken', driver: 'remote' }),
        /: create broken: VolumeDriver.Create: disk is full$/,
      );
      assert.deepEqual(await volumes.list(), []);
    } finally {
      plugin.close();
    }
  });

  test('a missing file server is named at once', async () => {
    const volumes = open();
    const port = await closedPort();
    const o = `addr=localhost,port=${port},nolock`;
    await volumes.create({ name: 'far', options: { type: 'nfs', device: ':/x', o } });
    await assert.rejects(
      volumes.mount('far', 'a'),
      new RegExp(`failed to mount local volume: .*the server localhost cannot be reached at port ${port}`),
    );
    assert.equal(mounts.now.size, 0);
  });

  test('a copy-up that broke off is done again, also where others have the volume mounted', async () => {
    const volumes = open();
    const { mountpoint } = await volumes.create({ name: 'data' });
    const source = join(directory, 'image');
    mkdirSync(source);
    for (const name of ['a', 'b']) writeFileSync(join(source, name), name);
    await volumes.mount('data', 'one');
    await volumes.mount('data', 'two');
    broken = true;
    await assert.rejects(volumes.copyUp('data', source), /cannot copy/);
    assert.deepEqual(readdirSync(mountpoint), ['half']);
    broken = false;
    await volumes.copyUp('data', source);
    assert.deepEqual(readdirSync(mountpoint), ['a', 'b', 'half']);
    rmSync(join(mountpoint, 'a'));
    await volumes.copyUp('data', source);
    assert.deepEqual(readdirSync(mountpoint), ['b', 'half'], 'what is there is left alone');
  });

  test('the first user mounts what the options say, the last one unmounts it', async () => {
    const volumes = open();
    await volumes.create({ name: 'fast', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,uid=7' } });
    const target = await volumes.mount('fast', 'a');
    await volumes.mount('fast', 'b');
    assert.deepEqual(mounts.now.get(target)?.options, ['size=1m', 'uid=7']);
    await volumes.unmount('fast', 'a');
    assert.equal(mounts.now.size, 1);
    await volumes.unmount('fast', 'b');
    assert.equal(mounts.now.size, 0);
  });

  test('copy-up fills an empty volume with mode and content, and leaves a full one alone', async () => {
    const volumes = open();
    const { mountpoint } = await volumes.create({ name: 'data' });
    const source = join(directory, 'image');
    mkdirSync(source, { mode: 0o750 });
    writeFileSync(join(source, 'file'), 'from image');
    await volumes.copyUp('data', source);
    assert.equal(readFileSync(join(mountpoint, 'file'), 'utf8'), 'from image');
    assert.equal(statSync(mountpoint).mode & 0o777, 0o750);
    writeFileSync(join(source, 'file'), 'changed');
    await volumes.copyUp('data', source);
    assert.equal(readFileSync(join(mountpoint, 'file'), 'utf8'), 'from image');
  });

  test('reconcile forgets dead users and removes directories without a record', async () => {
    const volumes = open();
    await volumes.create({ name: 'data' });
    await volumes.acquire('data', 'dead');
    mkdirSync(join(directory, 'volumes', 'orphan', '_data'), { recursive: true });
    mkdirSync(join(directory, 'volumes', '.copy-1'));
    await volumes.reconcile(new Set());
    assert.deepEqual(volumes.users('data'), []);
    assert.deepEqual(readdirSync(join(directory, 'volumes')), ['data']);
    assert.ok(!existsSync(join(directory, 'volumes', 'orphan')));
  });
});
