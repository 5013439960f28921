import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DiskUsage } from '#api-types';
import { daemonForTests, findDockerCli } from '#testkit';

describe('system df', () => {
  const { daemon, docker } = daemonForTests();
  let usage: DiskUsage;
  before(async () => {
    const dockerfile = 'FROM busybox\nRUN head -c 1000000 /dev/urandom > /random\n';
    const built = await docker.try(['build', '-q', '-t', 'child', '-'], { input: dockerfile });
    assert.equal(built.code, 0, built.stderr);
    const script = 'head -c 3000000 /dev/zero > /own; head -c 2000000 /dev/zero > /data/kept';
    await docker.run('run', '--name', 'writer', '-v', 'kept:/data', 'busybox', 'sh', '-c', script);
    usage = await new Promise((resolve, reject) => {
      get({ socketPath: daemon.socket, path: '/system/df' }, (response) => {
        response
          .setEncoding('utf8')
          .reduce((text, part) => text + part, '')
          .then((text) => resolve(JSON.parse(text)));
      }).on('error', reject);
    });
  });

  /** Bytes that du(1) sees, hard links once. */
  const onDisk = (...paths: string[]) =>
    execFileSync('du', ['-s', '-c', '--block-size=1', ...paths], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => Number(line.split('\t')[0]))
      .at(-1) ?? 0;

  test('layers take what du finds', () => {
    const data = join(daemon.directory, 'data');
    const blobs = execFileSync('find', [join(data, 'content'), '-type', 'f', '-size', '+0'], {
      encoding: 'utf8',
    }).trim();
    const snapshots = execFileSync(
      'find',
      [join(data, 'snapshots'), '-mindepth', '2', '-maxdepth', '2', '-name', 'fs'],
      {
        encoding: 'utf8',
      },
    ).trim();
    const writer = onDiskOf(snapshots.split('\n'), 'own');
    const found = onDisk(...blobs.split('\n')) + onDisk(...snapshots.split('\n')) - writer;
    assert.equal(usage.LayersSize, found);
  });
  /** What the writable layer that has `name` takes: it belongs to a container. */
  const onDiskOf = (roots: readonly string[], name: string) => {
    const own = roots.find((root) => execFileSync('ls', [root], { encoding: 'utf8' }).split('\n').includes(name));
    assert.ok(own);
    return onDisk(own);
  };

  test('what images share and have alone adds up', () => {
    const [child, base] = ['child:latest', 'busybox:latest'].map((tag) =>
      usage.Images?.find(({ RepoTags }) => RepoTags?.includes(tag)),
    );
    assert.ok(child && base);
    assert.equal(base.SharedSize, base.Size);
    assert.equal(child.SharedSize, base.Size);
    assert.equal(child.Size - child.SharedSize, 1_000_000);
    assert.deepEqual([base.Containers, child.Containers], [1, 0]);
  });

  test('containers and volumes have what was written to them', () => {
    assert.equal(usage.Containers?.[0]?.SizeRw, 3_000_000);
    const volume = usage.Volumes?.find(({ Name }) => Name === 'kept');
    assert.equal(volume?.UsageData?.Size, onDisk(join(daemon.directory, 'data/volumes/kept/_data')));
    assert.equal(volume?.UsageData?.RefCount, 1);
  });

  const { major } = findDockerCli();
  const skip = major < 28 && `the docker CLI is version ${major}, which prints in another way`;
  test('our client prints what the docker client prints', { skip }, async () => {
    const berth = fileURLToPath(new URL('../../../bin/berth', import.meta.url));
    const env = { ...process.env, BERTH_HOST: daemon.host };
    // A second may pass between the two, and then columns are wider.
    const ageless = (text: string) =>
      text.replace(/(\d+ seconds?|Less than a second|About a minute) ago/g, 'AGE').replace(/ +/g, ' ');
    for (const more of [[], ['-v'], ['--format', 'json']]) {
      const ours = await promisify(execFile)(berth, ['system', 'df', ...more], { env });
      const theirs = await docker.try(['system', 'df', ...more]);
      assert.equal(ageless(ours.stdout), ageless(theirs.stdout));
    }
  });

  test('the client finds no more to reclaim than there is', async () => {
    const lines = await docker.run('system', 'df', '--format', '{{.Type}} {{.Reclaimable}}');
    for (const [, percent] of lines.matchAll(/\((\d+)%\)/g)) assert.ok(Number(percent) <= 100, lines);
  });
});
