import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Docker, freePort, importBusybox, leaksSince, makeCertificates, snapshotHost, TestDaemon } from '#testkit';

const berthd = fileURLToPath(new URL('../../../bin/berthd', import.meta.url));

describe('berthd', () => {
  test('with --tlsverify lets in only clients with a certificate of its CA', async () => {
    const pki = mkdtempSync(join(tmpdir(), 'berth-pki-'));
    try {
      makeCertificates(pki);
      const port = await freePort();
      const pem = (name: string) => join(pki, `${name}.pem`);
      const tls = ['--tlscacert', pem('ca'), '--tlscert', pem('server'), '--tlskey', pem('server-key')];
      await using daemon = await TestDaemon.start(['-H', `tcp://127.0.0.1:${port}`, '--tlsverify', ...tls]);
      const docker = new Docker(`tcp://127.0.0.1:${port}`);
      const flags = ['--tlsverify', '--tlscacert', pem('ca')];
      const known = [...flags, '--tlscert', pem('client'), '--tlskey', pem('client-key')];
      const { stdout, stderr } = await docker.try([...known, 'version', '--format', '{{.Server.APIVersion}}']);
      assert.equal(stdout, '1.51\n', stderr);
      const stranger = await docker.try([...flags, 'version']);
      assert.notEqual(stranger.code, 0);
      // The unix socket is served beside it.
      assert.equal(await new Docker(daemon.host).run('ps', '-q'), '');
    } finally {
      rmSync(pki, { recursive: true, force: true });
    }
  });

  test('runs beside another one: same names, own networks, no crosstalk', async () => {
    await using one = await TestDaemon.start();
    await using two = await TestDaemon.start();
    const dockers = [one, two].map((daemon) => {
      importBusybox(daemon.socket);
      return new Docker(daemon.host);
    });
    for (const docker of dockers) await docker.run('run', '-d', '--name', 'same', 'busybox', 'sleep', '60');
    const subnets = dockers.map((docker) =>
      docker.run('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', 'bridge'),
    );
    const [first, second] = await Promise.all(subnets);
    assert.notEqual(first, second);
    for (const docker of dockers) assert.equal(await docker.run('ps', '--format', '{{.Names}}'), 'same');
  });

  test('refuses roots that another one has, naming flag and remedy', async () => {
    await using daemon = await TestDaemon.start();
    const args = ['--data-root', join(daemon.directory, 'data'), '--exec-root', `${daemon.execRoot}-2`];
    const second = spawnSync(berthd, [...args, '-H', `unix://${daemon.directory}/2.sock`], { encoding: 'utf8' });
    assert.equal(second.status, 1);
    assert.match(second.stderr, /another berthd runs with --data-root .*; stop it or choose other roots/);
    execFileSync('sh', ['-c', 'umount "$0/ns/mnt" "$0/ns"; rm -r "$0"', `${daemon.execRoot}-2`]);
  });

  test('keeps its socket from others and says who it is in the pid file', async () => {
    await using daemon = await TestDaemon.start();
    assert.equal(statSync(daemon.socket).mode & 0o777, 0o660);
    assert.equal(readFileSync(join(daemon.execRoot, 'berth.pid'), 'utf8').trim(), String(daemon.pid));
  });

  test('leaves the host as it was when it stops with nothing running', async () => {
    const before = await snapshotHost();
    const daemon = await TestDaemon.start();
    importBusybox(daemon.socket);
    const docker = new Docker(daemon.host);
    await docker.run('network', 'create', 'extra');
    await docker.run('run', '--rm', '--network', 'extra', 'busybox', 'true');
    await daemon[Symbol.asyncDispose]();
    assert.deepEqual(await leaksSince(before), []);
  });

  for (const [args, text] of [
    [['--nope'], /Unknown option '--nope'.*see berthd --help/],
    [['--log-level', 'loud'], /--log-level loud: want debug, info, warn or error/],
    [['-H', 'http://x'], /--host http:\/\/x: want unix:\/\/\/path or tcp:\/\/address:port/],
    [['--config-file', '/no/such/file'], /--config-file \/no\/such\/file: ENOENT/],
    [['--default-address-pool', 'x'], /want key=value|want base=CIDR,size=PREFIX/],
  ] as const) {
    test(`${args.join(' ')} is refused by a sentence`, () => {
      const { status, stderr } = spawnSync(berthd, ['--validate', ...args], { encoding: 'utf8' });
      assert.equal(status, 1);
      assert.match(stderr, text);
    });
  }
});
