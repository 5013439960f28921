import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Docker, daemonForTests } from '#testkit';

const mount = (...args: string[]) => execFileSync('mount', args);
const isMountPoint = (path: string) =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === path);

describe('mounts of containers', () => {
  const { daemon, docker } = daemonForTests();
  let scratch: string;
  const volumesRoot = () => join(daemon.directory, 'data/volumes');
  /** Runs a command in a container with one --mount. */
  const inside = (spec: string, ...command: string[]) => insideBy(docker, spec, ...command);
  const insideBy = (client: Docker, spec: string, ...command: string[]) =>
    client.try(['run', '--rm', '--mount', spec, 'busybox', ...command]);

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'berth-mounts-'));
  });
  after(async () => {
    rmSync(scratch, { recursive: true, force: true });
  });

  describe('through which mounts spread', () => {
    let shared: string;
    before(() => {
      shared = join(scratch, 'shared');
      mkdirSync(shared);
      // Made after the daemon started: it is not in the daemon's own table.
      mount('--bind', shared, shared);
      mount('--make-shared', shared);
      for (const name of ['late', 'back']) mkdirSync(join(shared, name));
    });
    after(() => {
      for (const name of ['late', 'back']) {
        if (isMountPoint(join(shared, name))) execFileSync('umount', [join(shared, name)]);
      }
      execFileSync('umount', [shared]);
    });

    const modes = { private: false, rprivate: false, slave: true, rslave: true, shared: true, rshared: true };

    test('a mount made on the host afterwards is seen as each mode has it', async () => {
      for (const mode of Object.keys(modes)) {
        const spec = `type=bind,src=${shared},dst=/m,bind-propagation=${mode}`;
        await docker.run('run', '-d', '--name', mode, '--mount', spec, 'busybox', 'sleep', '3600');
      }
      mount('-t', 'tmpfs', 'late', join(shared, 'late'));
      writeFileSync(join(shared, 'late/file'), '');
      for (const [mode, sees] of Object.entries(modes)) {
        assert.equal(await docker.run('exec', mode, 'ls', '/m/late'), sees ? 'file' : '', mode);
      }
      execFileSync('umount', [join(shared, 'late')]);
      for (const mode of Object.keys(modes)) {
        assert.equal(await docker.run('exec', mode, 'ls', '/m/late'), '', `${mode}: unmounted too`);
      }
      await docker.run('rm', '-f', ...Object.keys(modes));
    });

    test('a mount made in a container reaches the host through a shared bind alone, and outlives the container', async () => {
      for (const mode of ['rslave', 'rshared']) {
        const spec = `type=bind,src=${shared},dst=/m,bind-propagation=${mode}`;
        await docker.run(
          'run',
          '--rm',
          '--privileged',
          '--mount',
          spec,
          'busybox',
          'mount',
          '-t',
          'tmpfs',
          'x',
          '/m/back',
        );
        assert.equal(isMountPoint(join(shared, 'back')), mode === 'rshared', mode);
      }
      assert.deepEqual(readdirSync(join(daemon.execRoot, 'sources')), []);
    });

    test('a source whose mount does not spread is refused', async () => {
      const alone = join(scratch, 'alone');
      mkdirSync(alone);
      mount('--bind', alone, alone);
      mount('--make-private', alone);
      try {
        for (const [mode, wanted] of [
          ['rshared', 'shared mount'],
          ['slave', 'shared or slave mount'],
        ]) {
          const { code, stderr } = await inside(`type=bind,src=${alone},dst=/m,bind-propagation=${mode}`, 'true');
          assert.equal(code, 125);
          assert.match(stderr, new RegExp(`path ${alone} is mounted on ${alone} but it is not a ${wanted}`));
        }
      } finally {
        execFileSync('umount', [alone]);
      }
    });
  });

  test('read-only reaches the mounts below as bind-recursive says', async () => {
    // The kernel's own tree has mounts below it on every host.
    const source = '/sys';
    const below = 'grep " /m/fs/cgroup " /proc/self/mountinfo | cut -d" " -f6 | cut -c1-2';
    const cases = [
      ['readonly', 'ro'],
      ['readonly,bind-recursive=enabled', 'ro'],
      ['readonly,bind-recursive=writable', 'rw'],
      ['readonly,bind-recursive=readonly,bind-propagation=rprivate', 'ro'],
      ['readonly,bind-recursive=disabled', ''],
      ['bind-recursive=disabled', ''],
      ['bind-recursive=enabled', 'rw'],
    ] as const;
    const host = readFileSync('/proc/self/mountinfo', 'utf8').match(/ \/sys\/fs\/cgroup (rw|ro)/)?.[1];
    // The docker CLI knows bind-recursive since 25; Debian's is older.
    const berth = new Docker(daemon.host, fileURLToPath(new URL('../../../bin/berth', import.meta.url)));
    for (const [options, want] of cases) {
      const { stdout, stderr } = await insideBy(berth, `type=bind,src=${source},dst=/m,${options}`, 'sh', '-c', below);
      assert.equal(stdout.trim(), want === 'rw' ? host : want, `${options} ${stderr}`);
    }
  });

  test('the missing source of a bind is made where that is asked, and named where not', async () => {
    const missing = join(scratch, 'missing');
    const refused = await inside(`type=bind,src=${missing},dst=/m`, 'true');
    assert.match(refused.stderr, new RegExp(`bind source path does not exist: ${missing}`));
    await docker.run('run', '--rm', '-v', `${missing}:/m`, 'busybox', 'touch', '/m/f');
    assert.deepEqual(readdirSync(missing), ['f']);
  });

  test('a volume in use names who uses it', async () => {
    const id = await docker.run('run', '-d', '--name', 'user', '-v', 'used:/m', 'busybox', 'sleep', '3600');
    const { stderr } = await docker.try(['volume', 'rm', 'used']);
    assert.match(stderr, new RegExp(`remove used: volume is in use - \\[${id}\\]`));
    await docker.run('rm', '-f', 'user');
    await docker.run('volume', 'rm', 'used');
  });

  describe('copy-up', () => {
    const count = 4000;
    before(async () => {
      const script = `mkdir /data && cd /data && seq ${count} | while read n; do echo $n > $n; done; chown -R 12:34 /data; chmod 750 /data`;
      await docker.run('run', '--name', 'filled', 'busybox', 'sh', '-c', script);
      await docker.run('commit', 'filled', 'filled');
      await docker.run('rm', 'filled');
    });

    const check = async (volume: string) => {
      const script = `ls /v | wc -l; cat /v/${count}; stat -c '%u:%g' /v/1; cat /v/* | wc -l`;
      const text = await docker.run('run', '--rm', '-v', `${volume}:/v`, 'busybox', 'sh', '-c', script);
      assert.equal(text, `${count}\n${count}\n12:34\n${count}`);
    };

    test('loses nothing when the daemon is killed in its middle', async () => {
      await docker.run('create', '--name', 'first', '-v', 'fresh:/data', 'filled', 'true');
      const watcher = watch(volumesRoot());
      const begun = once(watcher, 'change');
      const start = docker.try(['start', 'first']);
      await begun;
      await daemon.kill();
      watcher.close();
      assert.notEqual((await start).code, 0);
      await daemon.start();
      assert.deepEqual(
        readdirSync(volumesRoot()).filter((name) => name.startsWith('.copy')),
        [],
      );
      await docker.run('start', 'first');
      await check('fresh');
    });

    test('loses nothing in a volume that another container has mounted either', async () => {
      await docker.run('run', '-d', '--name', 'other', '-v', 'common:/elsewhere', 'busybox', 'sleep', '3600');
      await docker.run('create', '--name', 'second', '-v', 'common:/data', 'filled', 'true');
      const watcher = watch(join(volumesRoot(), 'common/_data'));
      const begun = once(watcher, 'change');
      const start = docker.try(['start', 'second']);
      await begun;
      await daemon.kill();
      watcher.close();
      assert.notEqual((await start).code, 0);
      await daemon.start();
      await docker.run('start', 'second');
      await check('common');
      assert.equal(await docker.run('exec', 'other', 'sh', '-c', 'ls /elsewhere | wc -l'), String(count));
    });
  });
});
