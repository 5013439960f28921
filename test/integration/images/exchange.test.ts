import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DistributionRegistry, Docker, daemonForTests, ServedRegistry, skipWithoutDistribution } from '#testkit';

// BERTH_TEST_DOCKER_HOST names a dockerd that has busybox:latest, BERTH_TEST_PODMAN a podman command: both see loopback
// and the temp directory of this machine. What the tests bring there, they remove.
const dockerd = process.env.BERTH_TEST_DOCKER_HOST;
const podman = process.env.BERTH_TEST_PODMAN?.split(' ');

const run = promisify(execFile);
/** Two layers, two names; saved by dockerd 28.5.2. */
const recorded = fileURLToPath(new URL('../../../src/image/testdata/dockerd-28.5-save.tar', import.meta.url));
const recordedId = 'sha256:becd15e3c48ae67d0622f9992f358af48cc1cf305f105e85595c7ac238d0e3a7';
const facts = '{{.Id}} {{json .RootFS.Layers}}';

function missing(program: string): string | false {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return false;
  } catch {
    return `${program} is not installed`;
  }
}

/** Whatever of `all` can be started here, by name. */
const registries: Record<string, () => Promise<AsyncDisposable & { readonly host: string }>> = {
  'berth registry serve': () => ServedRegistry.start(),
  ...(skipWithoutDistribution === false ? { 'docker-registry': () => DistributionRegistry.start() } : {}),
};

describe('images between engines, registries and tools', () => {
  let directory: string;
  const { docker } = daemonForTests();
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-exchange-'));
  });
  after(async () => {
    rmSync(directory, { recursive: true });
  });
  const digestIn = (text: string) => /digest: (sha256:[0-9a-f]{64})/.exec(text)?.[1];

  for (const [what, start] of Object.entries(registries)) {
    test(`what dockerd saved is loaded, pushed to ${what}, pulled back and pushed again, digests equal`, async () => {
      await using registry = await start();
      const name = `${registry.host}/team/recorded:1`;
      await docker.run('load', '-q', '-i', recorded);
      await docker.run('tag', 'recorded:1', name);
      const loaded = await docker.run('image', 'inspect', '-f', facts, name);
      assert.ok(loaded.startsWith(recordedId));
      const digest = digestIn(await docker.run('push', name));
      await docker.run('rmi', '-f', recordedId);
      assert.match(await docker.run('pull', name), new RegExp(`Digest: ${digest}`));
      assert.equal(await docker.run('image', 'inspect', '-f', facts, name), loaded);
      const container = await docker.run('create', name, 'none');
      await docker.run('cp', `${container}:/two`, join(directory, 'two'));
      assert.equal(readFileSync(join(directory, 'two'), 'utf8'), 'two\n');
      await docker.run('rm', container);
      assert.equal(digestIn(await docker.run('push', name)), digest);
      await docker.run('rmi', '-f', recordedId);
    });

    test(`skopeo carries an image between ${what}, OCI layouts and docker-archives, digests equal`, {
      skip: missing('skopeo'),
    }, async () => {
      await using registry = await start();
      const at = (tag: string) => `docker://${registry.host}/team/busybox:${tag}`;
      const work = mkdtempSync(join(directory, 'skopeo-'));
      const copy = (...words: string[]) =>
        run('skopeo', ['--insecure-policy', 'copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...words]);
      const inspect = async (place: string, format: string) =>
        (await run('skopeo', ['inspect', '--tls-verify=false', '--format', format, place])).stdout.trim();
      const name = `${registry.host}/team/busybox:ours`;
      await docker.run('tag', 'busybox', name);
      const digest = digestIn(await docker.run('push', name));
      await copy('--preserve-digests', at('ours'), `dir:${work}/directory`);
      await copy('--preserve-digests', `dir:${work}/directory`, at('directory'));
      assert.equal(await inspect(at('directory'), '{{.Digest}}'), digest);
      // A layout has OCI's media types: skopeo writes another manifest, which is the same from there on.
      await copy(at('ours'), `oci:${work}/layout:1`);
      const inLayout = await inspect(`oci:${work}/layout:1`, '{{.Digest}}');
      await copy('--preserve-digests', `oci:${work}/layout:1`, at('layout'));
      await copy('--preserve-digests', at('layout'), `oci:${work}/back:1`);
      assert.equal(await inspect(`oci:${work}/back:1`, '{{.Digest}}'), inLayout);
      const fromLayout = `${registry.host}/team/busybox:layout`;
      assert.match(await docker.run('pull', fromLayout), new RegExp(`Digest: ${inLayout}`));
      assert.equal(digestIn(await docker.run('push', fromLayout)), inLayout);
      await copy(at('ours'), `docker-archive:${work}/theirs.tar:their/busybox:1`);
      assert.match(await docker.run('load', '-i', join(work, 'theirs.tar')), /Loaded image: their\/busybox:1/);
      const id = await docker.run('image', 'inspect', '-f', facts, 'busybox');
      assert.equal(await docker.run('image', 'inspect', '-f', facts, 'their/busybox:1'), id);
      await docker.run('save', '-o', join(work, 'ours.tar'), 'busybox');
      await copy(`docker-archive:${work}/ours.tar`, at('archive'));
      const pulled = `${registry.host}/team/busybox:archive`;
      await docker.run('pull', '-q', pulled);
      assert.equal(await docker.run('image', 'inspect', '-f', facts, pulled), id);
      assert.equal(await docker.run('run', '--rm', pulled, 'echo', 'runs'), 'runs');
    });

    test(`dockerd builds, we load, run and push to ${what}; it pulls and loads ours`, {
      skip: dockerd === undefined ? 'BERTH_TEST_DOCKER_HOST is not set' : false,
    }, async () => {
      await using registry = await start();
      const theirs = new Docker(dockerd ?? '');
      const name = `${registry.host}/team/built:1`;
      const archive = join(directory, 'built.tar');
      try {
        const input = 'FROM busybox:latest\nRUN echo built > /built\nENV A=b\nCMD ["cat", "/built"]\n';
        assert.equal((await theirs.try(['build', '-q', '-t', name, '-'], { input })).code, 0);
        const image = await theirs.run('image', 'inspect', '-f', facts, name);
        await theirs.run('save', '-o', archive, name);
        await docker.run('load', '-q', '-i', archive);
        assert.equal(await docker.run('run', '--rm', name), 'built');
        assert.equal(await docker.run('image', 'inspect', '-f', facts, name), image);
        const digest = digestIn(await docker.run('push', name));
        await docker.run('rmi', name);
        await theirs.run('rmi', name);
        for (const engine of [docker, theirs]) {
          assert.match(await engine.run('pull', name), new RegExp(`Digest: ${digest}`));
          assert.equal(await engine.run('image', 'inspect', '-f', facts, name), image);
          assert.equal(await engine.run('run', '--rm', name), 'built');
        }
        await theirs.run('rmi', name);
        await docker.run('save', '-o', archive, name);
        await theirs.run('load', '-q', '-i', archive);
        assert.equal(await theirs.run('image', 'inspect', '-f', facts, name), image);
      } finally {
        await theirs.try(['rmi', name]);
        await docker.try(['rmi', '-f', name]);
      }
    });

    test(`podman loads what we saved, and pulls from ${what} what we pushed`, {
      skip: podman === undefined ? 'BERTH_TEST_PODMAN is not set' : false,
    }, async () => {
      await using registry = await start();
      const work = mkdtempSync(join(directory, 'podman-'));
      const [program = '', ...words] = podman ?? [];
      const their = async (...args: string[]) => {
        const roots = ['--root', join(work, 'root'), '--runroot', join(work, 'run'), '--storage-driver', 'vfs'];
        return (await run(program, [...words, ...roots, ...args])).stdout.trim();
      };
      const name = `${registry.host}/team/pod:1`;
      await docker.run('tag', 'busybox', name);
      await docker.run('push', '-q', name);
      await docker.run('save', '-o', join(work, 'ours.tar'), name);
      const id = (await docker.run('image', 'inspect', '-f', '{{.Id}}', name)).replace('sha256:', '');
      await their('load', '-q', '-i', join(work, 'ours.tar'));
      assert.equal(await their('image', 'inspect', '-f', '{{.Id}}', name), id);
      await their('rmi', name);
      assert.match(await their('pull', '-q', '--tls-verify=false', name), new RegExp(id));
    });
  }
});
