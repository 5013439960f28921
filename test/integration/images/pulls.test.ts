import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pack } from 'tar-stream';
import { digestOf } from '#base';
import { Docker, FakeRegistry, findDockerCli, TestDaemon } from '#testkit';

const program = (name: string) => fileURLToPath(new URL(`../../../bin/${name}`, import.meta.url));
const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

async function tarOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  return buffer(tar as AsyncIterable<Buffer>);
}

/** Puts an image of one layer of about 600 kB that nobody had before; returns what an index says of it. */
async function addImage(registry: FakeRegistry, repository: string, tag: string, architecture = 'amd64') {
  const tar = await tarOf({ noise: randomBytes(600_000) });
  const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] };
  const config = registry.addBlob(repository, Buffer.from(JSON.stringify({ architecture, os: 'linux', rootfs })));
  const layer = { ...registry.addBlob(repository, tar), mediaType: types.layer };
  const text = JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config, layers: [layer] });
  const digest = registry.addManifest(repository, tag, text);
  return { mediaType: types.manifest, digest, size: text.length, platform: { os: 'linux', architecture } };
}

/** An index of two platforms under `tag`. */
async function addIndex(registry: FakeRegistry, repository: string, tag: string) {
  const amd64 = await addImage(registry, repository, `${tag}-amd64`);
  const arm64 = await addImage(registry, repository, `${tag}-arm64`, 'arm64');
  const text = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: [amd64, arm64] });
  return {
    mediaType: types.index,
    size: text.length,
    digest: registry.addManifest(repository, tag, text, types.index),
  };
}

for (const client of ['docker', 'berth']) {
  describe(`images by the ${client} CLI`, () => {
    let registry: FakeRegistry;
    let daemon: TestDaemon;
    let cli: Docker;
    const named = (repository: string) => `${registry.host}/${repository}`;
    const architecture = (name: string) => cli.run('image', 'inspect', '-f', '{{.Architecture}}', name);
    const failure = async (...args: string[]) => {
      const { code, stderr } = await cli.try(args);
      assert.notEqual(code, 0);
      return stderr;
    };

    before(async () => {
      registry = await new FakeRegistry().start();
      // The registry is also the proxy of a name that leads nowhere: such requests name the whole URL.
      const proxied = ['env', `HTTP_PROXY=http://${registry.host}`, program('berthd')];
      daemon = await TestDaemon.start(['--insecure-registry', 'registry.invalid'], proxied);
      cli = client === 'docker' ? new Docker(daemon.host) : new Docker(daemon.host, program('berth'));
    });
    after(async () => {
      await daemon[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    });

    test('pull -a brings all tags of a repository', async () => {
      for (const tag of ['one', 'two']) await addImage(registry, 'all/tags', tag);
      await cli.run('pull', '-a', named('all/tags'));
      const tags = await cli.run('images', '--format', '{{.Tag}}', named('all/tags'));
      assert.deepEqual(tags.split('\n').sort(), ['one', 'two']);
    });

    test('an image is pulled by its digest without a tag, and removed by that digest', async () => {
      const { digest } = await addImage(registry, 'by/digest', '1');
      const name = `${named('by/digest')}@${digest}`;
      assert.match(await cli.run('pull', name), new RegExp(`Digest: ${digest}`));
      assert.equal(await cli.run('image', 'inspect', '-f', '{{.RepoTags}} {{.RepoDigests}}', name), `[] [${name}]`);
      assert.match(await cli.run('rmi', name), new RegExp(`Untagged: ${name}\nDeleted: sha256:`));
      assert.match(await failure('image', 'inspect', name), /[Nn]o such image/);
    });

    test('an image is removed by a short id, by force where several repositories name it', async () => {
      await addImage(registry, 'short/id', '1');
      const name = `${named('short/id')}:1`;
      await cli.run('pull', '-q', name);
      const id = (await cli.run('image', 'inspect', '-f', '{{.Id}}', name)).slice(7, 19);
      await cli.run('tag', name, 'elsewhere:1');
      assert.match(await failure('rmi', id), /image is referenced in multiple repositories/);
      assert.match(await cli.run('rmi', '-f', id), /Untagged: elsewhere:1\n(?:.*\n)*Deleted: sha256:/);
      assert.match(await failure('rmi', id), /No such image/);
    });

    test('--platform chooses from an index, and what it has not is told', async () => {
      const { digest } = await addIndex(registry, 'two/platforms', '1');
      const name = `${named('two/platforms')}:1`;
      for (const wanted of ['arm64', 'amd64']) {
        assert.match(await cli.run('pull', '--platform', `linux/${wanted}`, name), new RegExp(`Digest: ${digest}`));
        assert.equal(await architecture(name), wanted);
      }
      const text = await failure('pull', '--platform', 'linux/s390x', name);
      assert.match(text, /no matching manifest for linux\/s390x in the manifest list entries/);
    });

    const old = client === 'docker' && findDockerCli().major < 28;
    const skip = old && 'this docker CLI has no load --platform';
    test('load --platform takes one of the images of a layout', { skip }, async () => {
      const index = await addIndex(registry, 'to/load', '1');
      const name = 'loaded/app:1';
      const annotations = { 'io.containerd.image.name': `docker.io/${name}`, 'org.opencontainers.image.ref.name': '1' };
      const files: Record<string, string | Buffer> = {
        'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
        'index.json': JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] }),
      };
      const stored = [
        ...[...registry.manifests.values()].map(({ bytes }) => bytes),
        ...[...registry.blobs].filter(([key]) => key.startsWith('to/load@')).map(([, bytes]) => bytes),
      ];
      for (const bytes of stored) files[`blobs/sha256/${digestOf(bytes).slice(7)}`] = bytes;
      const archive = join(daemon.directory, 'layout.tar');
      writeFileSync(archive, await tarOf(files));
      assert.match(await cli.run('load', '-i', archive, '--platform', 'linux/arm64'), /Loaded image: loaded\/app:1/);
      assert.equal(await architecture(name), 'arm64');
      assert.match(await failure('load', '-i', archive, '--platform', 'linux/s390x'), /s390x/);
    });

    test('a registry that is busy is asked again when it said, and a layer that was cut goes on where it was', async () => {
      await addImage(registry, 'busy/cut', '1');
      let refusals = 2;
      let cuts = 2;
      const ranges: unknown[] = [];
      registry.intercept = (request, response, url) => {
        if (url.pathname.includes('/manifests/') && refusals > 0) {
          refusals -= 1;
          response.writeHead(429, { 'retry-after': '0' }).end();
          return true;
        }
        const bytes = registry.blobs.get(`busy/cut@${url.pathname.split('/').at(-1)}`);
        if (bytes === undefined || bytes.length < 100_000) return false;
        ranges.push(request.headers.range);
        if (cuts === 0) return false;
        cuts -= 1;
        const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        if (from > 0) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
        response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from });
        response.write(bytes.subarray(from, from + 200_000), () => response.destroy());
        return true;
      };
      try {
        await cli.run('pull', '-q', `${named('busy/cut')}:1`);
      } finally {
        registry.intercept = () => false;
      }
      assert.equal(refusals, 0);
      assert.equal(ranges.length, 3);
      assert.match(String(ranges[1]), /^bytes=[1-9]\d*-/);
      assert.match(String(ranges[2]), /^bytes=[1-9]\d*-/);
    });

    test('the proxy of the environment of the daemon leads to a registry', async () => {
      await addImage(registry, 'by/proxy', '1');
      const hosts = new Set<string | undefined>();
      registry.intercept = (request) => {
        hosts.add(request.headers.host);
        return false;
      };
      await cli.run('pull', '-q', 'registry.invalid/by/proxy:1');
      assert.deepEqual([...hosts], ['registry.invalid']);
      registry.intercept = () => false;
    });

    test('a search says what it cannot do, and what to do instead', async () => {
      assert.match(await failure('search', 'busybox'), /cannot search for "busybox": .*_catalog/);
    });
  });
}
