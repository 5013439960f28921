import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bcrypt } from 'hash-wasm';
import { DistributionRegistry, importBusybox, skipWithoutDistribution, TestDaemon } from '#testkit';

describe('a registry with TLS and passwords, by the docker CLI', { skip: skipWithoutDistribution }, () => {
  let directory: string;
  let registry: DistributionRegistry;
  let daemon: TestDaemon;
  let host: string;

  /** Runs docker with a configuration of the test's own; throws with what it said. */
  const docker = (args: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const all = ['--config', join(directory, 'config'), '-H', daemon.host, ...args];
      const child = execFile('docker', all, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(stderr)),
      );
      child.stdin?.end(input);
    });

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-registry-login-'));
    const [key, certificate, users] = ['key.pem', 'cert.pem', 'users'].map((file) => join(directory, file));
    assert.ok(key && certificate && users);
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate, ...subject],
      { stdio: 'ignore' },
    );
    const hash = await bcrypt({ password: 'secret', salt: randomBytes(16), costFactor: 5, outputType: 'encoded' });
    writeFileSync(users, `ann:${hash}\n`);
    registry = await DistributionRegistry.start({ tls: { certificate, key }, htpasswd: users });
    host = registry.host;
    daemon = await TestDaemon.start();
    importBusybox(daemon.socket);
    await docker(['tag', 'busybox', `${host}/team/app:1`]);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  test('without a login nothing is pushed', async () => {
    await assert.rejects(docker(['push', `${host}/team/app:1`]), /no basic auth credentials|authentication required/);
  });

  test('a wrong password is refused', async () => {
    await assert.rejects(docker(['login', '-u', 'ann', '--password-stdin', host], 'wrong'), /unauthorized|401/);
  });

  test('after a login an image goes there and comes back with the same id and digest', async () => {
    assert.match(await docker(['login', '-u', 'ann', '--password-stdin', host], 'secret'), /Login Succeeded/);
    const id = await docker(['image', 'inspect', '-f', '{{.Id}}', `${host}/team/app:1`]);
    const pushed = /digest: (sha256:[0-9a-f]{64})/.exec(await docker(['push', `${host}/team/app:1`]))?.[1];
    await docker(['rmi', '-f', id.trim()]);
    assert.match(await docker(['pull', `${host}/team/app:1`]), new RegExp(`Digest: ${pushed}`));
    assert.equal(await docker(['image', 'inspect', '-f', '{{.Id}}', `${host}/team/app:1`]), id);
    assert.equal(await docker(['run', '--rm', `${host}/team/app@${pushed}`, 'echo', 'runs']), 'runs\n');
  });

  test('after a logout it is refused again', async () => {
    await docker(['logout', host]);
    assert.doesNotMatch(readFileSync(join(directory, 'config/config.json'), 'utf8'), /127\.0\.0\.1/);
    await assert.rejects(docker(['pull', `${host}/team/app:2`]), /no basic auth credentials/);
  });
});
