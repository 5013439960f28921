import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { daemonForTests } from '#testkit';

const program = fileURLToPath(new URL('../../../bin/berth', import.meta.url));

describe('clones, snapshots and new names of volumes', () => {
  const { daemon, docker } = daemonForTests();
  const berth = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(program, ['-H', daemon.host, ...args]);
    return stdout.trim();
  };
  const inside = (volume: string, script: string) =>
    docker.run('run', '--rm', '-v', `${volume}:/v`, 'busybox', 'sh', '-c', script);
  const layers = () => {
    const path = join(daemon.directory, 'data/volumes/.layers');
    return existsSync(path) ? readdirSync(path).length : 0;
  };

  before(async () => {
    await inside(
      'first',
      'echo one > /v/a; mkdir /v/d; chown 7:8 /v /v/d; chmod 750 /v; echo deep > /v/d/f; ln -s a /v/l',
    );
  });

  test('a clone has the data, owner and mode of its source, and each goes its own way', async () => {
    assert.equal(await berth('volume', 'clone', '--label', 'k=v', 'first', 'second'), 'second');
    assert.equal(await docker.run('volume', 'inspect', '-f', '{{json .Labels}}', 'second'), '{"k":"v"}');
    for (const volume of ['first', 'second']) {
      assert.equal(await inside(volume, 'cat /v/a /v/d/f /v/l; stat -c "%a %u %g" /v'), 'one\ndeep\none\n750 7 8');
    }
    await inside('second', 'echo two > /v/a; rm -r /v/d');
    await inside('first', 'echo three > /v/a');
    assert.equal(await inside('first', 'cat /v/a /v/d/f'), 'three\ndeep');
    assert.equal(await inside('second', 'cat /v/a; ls /v'), 'two\na\nl');
  });

  test('clones of clones see what was there when they were made', async () => {
    await berth('volume', 'clone', 'second', 'third');
    await inside('second', 'rm /v/a');
    assert.equal(await inside('third', 'cat /v/a; ls /v'), 'two\na\nl');
    const name = await berth('volume', 'snapshot', 'third');
    assert.match(name, /^third-\d{8}T\d{6}$/);
    await docker.run('volume', 'rm', 'third');
    assert.equal(await inside(name, 'cat /v/a'), 'two');
    await docker.run('volume', 'rm', name);
  });

  test('a volume in use is copied, and its users go on', async () => {
    await docker.run('run', '-d', '--name', 'user', '-v', 'first:/v', 'busybox', 'sleep', '3600');
    await berth('volume', 'clone', 'first', 'copy');
    await docker.run('exec', 'user', 'sh', '-c', 'echo later > /v/a');
    assert.equal(await inside('copy', 'cat /v/a; stat -c "%a %u" /v'), 'three\n750 7');
    assert.equal(await inside('first', 'cat /v/a'), 'later');
    await assert.rejects(berth('volume', 'rename', 'first', 'other'), /volume is in use/);
    await docker.run('rm', '-f', 'user');
  });

  test('a renamed volume keeps its data, also after a restart of the daemon', async () => {
    await berth('volume', 'rename', 'first', 'renamed');
    await daemon.kill();
    await daemon.start();
    assert.equal(await inside('renamed', 'cat /v/a'), 'later');
    assert.equal(await inside('second', 'ls /v'), 'l');
    assert.equal((await docker.try(['volume', 'inspect', 'first'])).code, 1);
    await berth('volume', 'rename', 'renamed', 'first');
  });

  test('what cannot be is refused by name', async () => {
    await docker.run('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'fleeting');
    await assert.rejects(berth('volume', 'clone', 'first', 'second'), /a volume named second already exists/);
    await assert.rejects(berth('volume', 'clone', 'nosuch', 'new'), /no such volume/);
    await assert.rejects(berth('volume', 'clone', 'fleeting', 'new'), /only local volumes without options/);
    await assert.rejects(berth('volume', 'clone', 'first', '../x'), /invalid characters/);
  });

  test('frozen data goes with the last volume that has it', async () => {
    assert.ok(layers() > 0);
    await docker.run('volume', 'rm', 'first', 'second', 'copy', 'fleeting');
    assert.equal(layers(), 0);
  });
});
