import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { DistributionRegistry, daemonForTests, fuzzRounds, seededNumbers, skipWithoutDistribution } from '#testkit';

const run = promisify(execFile);

describe('kill -9 of the daemon in the middle of image work', { skip: skipWithoutDistribution }, () => {
  let directory: string;
  let registry: DistributionRegistry;
  const { daemon, docker } = daemonForTests();
  let name: string;
  let archive: string;
  let id: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-image-death-'));
    registry = await DistributionRegistry.start();
    name = `${registry.host}/team/app:1`;
    const dockerfile = `FROM busybox\nRUN for i in $(seq 300); do echo $i > /file-$i; done\nRUN head -c 9000000 /dev/urandom > /large\n`;
    const build = execFileSync('docker', ['-H', daemon.host, 'build', '-q', '-t', name, '-'], {
      input: dockerfile,
      encoding: 'utf8',
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    id = build.trim();
    archive = join(directory, 'app.tar');
    await docker.run('save', '-o', archive, name);
    await docker.run('push', name);
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  /** Every blob under its name must have that digest; nothing may lie where unfinished work is kept. */
  async function checkStore(): Promise<void> {
    const blobs = join(daemon.directory, 'data/content/blobs/sha256');
    for (const file of readdirSync(blobs)) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(join(blobs, file)), hash);
      assert.equal(hash.digest('hex'), file);
    }
    assert.deepEqual(readdirSync(join(daemon.directory, 'data/scratch')), []);
    const unfinished = readdirSync(join(daemon.directory, 'data/content/ingest'));
    assert.deepEqual(
      unfinished.filter((file) => !file.startsWith('key-')),
      [],
    );
  }

  /** Numbers of the directories of snapshots. */
  const layers = () => readdirSync(join(daemon.directory, 'data/snapshots')).filter((file) => /^\d+$/.test(file));

  test('nothing is corrupt, a retry succeeds, and nothing is left over', async () => {
    const forget = () => docker.try(['rmi', '-f', name]);
    const works: Record<string, { prepare: () => Promise<unknown>; args: string[] }> = {
      pull: { prepare: forget, args: ['pull', name] },
      load: { prepare: forget, args: ['load', '-i', archive] },
      push: { prepare: async () => undefined, args: ['push', name] },
      rmi: { prepare: async () => undefined, args: ['rmi', '-f', name] },
      prune: { prepare: async () => undefined, args: ['image', 'prune', '-af'] },
    };
    const random = seededNumbers(7);
    const kinds = Object.keys(works);
    for (let round = 0; round < fuzzRounds(kinds.length * 2); round += 1) {
      const kind = kinds[round % kinds.length] ?? 'pull';
      const work = works[kind];
      assert.ok(work);
      await work.prepare();
      const client = run('docker', ['-H', daemon.host, ...work.args]).catch(() => undefined);
      // The instant is random on purpose: no event marks the moments between two steps.
      await new Promise((resolve) => setTimeout(resolve, random(kind === 'rmi' || kind === 'prune' ? 60 : 350)));
      await daemon.kill();
      await client;
      await daemon.start();
      await checkStore();
      await docker.run('load', '-q', '-i', archive);
      await docker.run('pull', '-q', name);
      await docker.run('push', '-q', name);
      assert.equal(await docker.run('image', 'inspect', '-f', '{{.Id}}', name), id, `round ${round}: ${kind}`);
      assert.equal(await docker.run('run', '--rm', name, 'cat', '/file-300'), '300', `round ${round}: ${kind}`);
    }
    await docker.run('image', 'prune', '-af');
    await docker.run('builder', 'prune', '-af');
    await checkStore();
    assert.equal(await docker.run('images', '-aq'), '');
    assert.deepEqual(layers(), []);
    assert.deepEqual(readdirSync(join(daemon.directory, 'data/content/blobs/sha256')), []);
  });
});
