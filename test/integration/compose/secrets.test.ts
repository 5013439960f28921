import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { daemonForTests } from '#testkit';
import { isBerth, ProjectDirectory } from './project-directory.ts';

const value = 'purple-monkey-dishwasher';
const seen = `${value}${value}`;
const file = `
services:
  web:
    image: busybox
    command: sleep 600
    init: true
    read_only: true
    secrets: [{ source: token, mode: 0400, uid: "33" }]
    configs: [{ source: motd, target: /etc/motd }]
secrets: { token: { environment: TOKEN } }
configs: { motd: { environment: TOKEN } }
`;

describe('secrets of a project', { skip: !isBerth && 'berth compose alone has a place for them' }, () => {
  const { daemon } = daemonForTests();

  const found = (directory: string) => {
    try {
      return execFileSync('grep', ['-rla', value, directory], { encoding: 'utf8' });
    } catch {
      return '';
    }
  };

  test('they are on no disk and in no answer, outlive restarts and the daemon, and go with down', async () => {
    await using project = new ProjectDirectory(daemon.host, file);
    project.write('.env', `TOKEN=${value}`);
    const read = () => project.run('exec', '-T', 'web', 'cat', '/run/secrets/token', '/etc/motd');
    await project.run('up', '-d');
    assert.equal(await read(), seen);
    assert.equal(await project.run('exec', '-T', 'web', 'stat', '-c', '%a %u', '/run/secrets/token'), '400 33');

    await project.run('restart', '-t', '0');
    await daemon.kill();
    await daemon.start();
    assert.equal(await read(), seen);
    await project.run('stop', '-t', '0');
    await daemon.stop();
    await daemon.start();
    await project.run('start');
    assert.equal(await read(), seen);

    const id = (await project.ids())['web-1'] ?? '';
    const inspect = execFileSync('docker', ['-H', daemon.host, 'inspect', id], { encoding: 'utf8' });
    assert.doesNotMatch(inspect, new RegExp(value));
    assert.equal(found(join(daemon.directory, 'data')), '');
    const mounts = readFileSync(`/proc/${daemon.pid}/mountinfo`, 'utf8');
    assert.match(mounts, new RegExp(`secrets/${id} .* - tmpfs`));

    await project.run('down', '-t', '0');
    await daemon.stop();
    await daemon.start();
    assert.doesNotMatch(readFileSync(`/proc/${daemon.pid}/mountinfo`, 'utf8'), /secrets/);
  });
});
