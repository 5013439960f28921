import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bcrypt } from 'hash-wasm';
import {
  DistributionRegistry,
  Docker,
  importBusybox,
  makeCertificates,
  ServedRegistry,
  skipWithoutDistribution,
  TestDaemon,
} from '#testkit';

const berthd = fileURLToPath(new URL('../../../bin/berthd', import.meta.url));
/** A name, since certificates of loopback addresses are not verified. */
const hostName = 'registry.test';
// The daemon sees an /etc with that name and with certificates, which the machine has not.
const intoOwnEtc =
  'mount --make-rslave / && mount -t overlay -o "lowerdir=$0/etc:/etc" overlay /etc && mount --bind "$0/certs" /etc/docker/certs.d && exec "$@"';

/** Files below the directory of the tests. */
const files = { server: 'server.pem', key: 'server-key.pem', users: 'users', authority: 'ca.pem' };

interface Kind {
  readonly skip: string | false;
  readonly start: (path: (file: string) => string) => Promise<AsyncDisposable & { readonly host: string }>;
  /** It talks only to clients with a certificate. */
  readonly clientCertificate: boolean;
  /** It gives an identity token for the password. */
  readonly identityToken: boolean;
  /** It lets everybody pull. */
  readonly anonymousRead: boolean;
}

const plain = { skip: false, clientCertificate: false, identityToken: false, anonymousRead: false } as const;
const served = (auth: Record<string, unknown>) => (path: (file: string) => string) =>
  ServedRegistry.start({
    tls: { cert: path(files.server), key: path(files.key) },
    auth: { htpasswd: path(files.users), ...auth },
  });
const kinds: Record<string, Kind> = {
  'docker-registry that wants client certificates': {
    ...plain,
    skip: skipWithoutDistribution,
    clientCertificate: true,
    start: (path) =>
      DistributionRegistry.start({
        tls: { certificate: path(files.server), key: path(files.key), clientcas: [path(files.authority)] },
        htpasswd: path(files.users),
      }),
  },
  'berth registry serve that asks for passwords': { ...plain, start: served({}) },
  'berth registry serve that gives tokens': { ...plain, identityToken: true, start: served({ tokens: true }) },
  'berth registry serve that everybody may read': {
    ...plain,
    identityToken: true,
    anonymousRead: true,
    start: served({ anonymousRead: true }),
  },
};

describe('registries with TLS and passwords, by the docker CLI', () => {
  let directory: string;
  let daemon: TestDaemon;
  let docker: Docker;
  const inDirectory = (...path: string[]) => join(directory, ...path);

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-registry-login-'));
    makeCertificates(directory, `IP:127.0.0.1,DNS:${hostName}`);
    const hash = await bcrypt({ password: 'secret', salt: randomBytes(16), costFactor: 5, outputType: 'encoded' });
    writeFileSync(inDirectory(files.users), `ann:${hash}\n`);
    for (const path of ['etc/docker/certs.d', 'certs']) mkdirSync(inDirectory(path), { recursive: true });
    writeFileSync(inDirectory('etc/hosts'), `127.0.0.1 localhost ${hostName}\n`);
    daemon = await TestDaemon.start([], ['unshare', '--mount', 'sh', '-c', intoOwnEtc, directory, berthd]);
    docker = new Docker(daemon.host, undefined, { ...process.env, DOCKER_CONFIG: inDirectory('config') });
    importBusybox(daemon.socket);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  /** Fails with what the CLI printed. */
  async function docks(args: readonly string[], input: string): Promise<string> {
    const { code, stdout, stderr } = await docker.try(args, { input });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }
  const configured = () => readFileSync(inDirectory('config/config.json'), 'utf8');

  for (const [what, kind] of Object.entries(kinds)) {
    describe(what, { skip: kind.skip }, () => {
      let registry: AsyncDisposable & { readonly host: string };
      let host: string;
      let name: string;
      before(async () => {
        registry = await kind.start(inDirectory);
        host = registry.host.replace('127.0.0.1', hostName);
        name = `${host}/team/app:1`;
        await docker.run('tag', 'busybox', name);
      });
      after(() => registry[Symbol.asyncDispose]());

      test('its certificate has to be one of a known authority, and the client has to show what it is asked for', async () => {
        await assert.rejects(docker.run('push', name), /x509: certificate signed by unknown authority/);
        await assert.rejects(docks(['login', '-u', 'ann', '--password-stdin', host], 'secret'), /unknown authority/);
        const certificates = inDirectory('certs', host);
        mkdirSync(certificates);
        copyFileSync(inDirectory(files.authority), join(certificates, 'ca.crt'));
        if (!kind.clientCertificate) return;
        await assert.rejects(docker.run('push', name), /remote error: tls: (?:bad certificate|certificate required)/);
        copyFileSync(inDirectory('client-key.pem'), join(certificates, 'client.key'));
        copyFileSync(inDirectory('client.pem'), join(certificates, 'client.cert'));
      });

      test('without a login nothing is pushed', async () => {
        await assert.rejects(docker.run('push', name), /no basic auth credentials|denied|authentication required/);
      });

      test('a wrong password is refused, and not kept', async () => {
        await assert.rejects(docks(['login', '-u', 'ann', '--password-stdin', host], 'wrong'), /unauthorized|401/);
        await assert.rejects(docker.run('push', name), /no basic auth credentials|denied|authentication required/);
      });

      test('after a login an image goes there and comes back with the same id and digest', async () => {
        const said = await docks(['login', '-u', 'ann', '--password-stdin', host], 'secret');
        assert.match(said, /Login Succeeded/);
        assert.equal(configured().includes('"identitytoken"'), kind.identityToken);
        assert.equal(configured().includes(Buffer.from('ann:secret').toString('base64')), !kind.identityToken);
        const id = await docker.run('image', 'inspect', '-f', '{{.Id}}', name);
        const pushed = /digest: (sha256:[0-9a-f]{64})/.exec(await docker.run('push', name))?.[1];
        await docker.run('rmi', name);
        assert.match(await docker.run('pull', name), new RegExp(`Digest: ${pushed}`));
        assert.equal(await docker.run('image', 'inspect', '-f', '{{.Id}}', name), id);
        assert.equal(await docker.run('run', '--rm', `${host}/team/app@${pushed}`, 'echo', 'runs'), 'runs');
      });

      test('after a logout it is refused again', async () => {
        await docker.run('logout', host);
        assert.doesNotMatch(configured(), new RegExp(host));
        await assert.rejects(docker.run('push', name), /no basic auth credentials|denied|authentication required/);
        // `docker pull` would ask for a login here, and wait for it.
        const pull = ['create', '--pull', 'always', name] as const;
        if (kind.anonymousRead) await docker.run(...pull);
        else await assert.rejects(docker.run(...pull), /no basic auth credentials|denied|authentication required/);
      });
    });
  }
});
