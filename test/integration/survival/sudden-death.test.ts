import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { daemonForTests, type TestDaemon } from '#testkit';

// Each work is killed at so many random instants; BERTH_KILLS=17 makes the fifty of a long run.
const rounds = Number(process.env.BERTH_KILLS ?? 4);

/** What the daemon keeps on disk and in the kernel, that must be explained by its records. */
function leavings(daemon: TestDaemon): { snapshots: string[]; ingest: string[]; mounts: string[] } {
  const data = join(daemon.directory, 'data');
  const pid = daemon.pid ?? 0;
  const mounts = readFileSync(`/proc/${pid}/mounts`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('overlay'));
  const list = (directory: string) => {
    try {
      return readdirSync(join(data, directory));
    } catch {
      return [];
    }
  };
  return { snapshots: list('snapshots').sort(), ingest: list('content/ingest'), mounts };
}

describe('kill -9 of the daemon in the middle of work', () => {
  const { daemon, docker } = daemonForTests();
  let context: string;
  let archive: string;
  let clean: ReturnType<typeof leavings>;

  before(async () => {
    context = join(daemon.directory, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'file'), 'x'.repeat(1 << 20));
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM busybox\nCOPY file /\nRUN md5sum /file > /sum && sleep 0.1\nRUN mkdir /d && touch /d/a /d/b\nCMD cat /sum\n',
    );
    archive = join(daemon.directory, 'image.tar');
    await docker.run('build', '-q', '-t', 'saved', context);
    await docker.run('save', '-o', archive, 'saved');
    await docker.run('rmi', 'saved');
    await docker.run('builder', 'prune', '-af');
    clean = leavings(daemon);
  });

  const works: Record<string, { start: () => Promise<unknown>; spanMs: number }> = {
    build: { start: () => docker.try(['build', '--no-cache', '-q', '-t', 'built', context]), spanMs: 600 },
    load: { start: () => docker.try(['load', '-q', '-i', archive]), spanMs: 150 },
    'create and start': {
      start: () => docker.try(['run', '-d', '--name', 'made', 'busybox', 'sleep', '60']),
      spanMs: 80,
    },
  };

  for (const [name, work] of Object.entries(works)) {
    test(`${name}: the store is consistent and nothing leaks after the restart`, async () => {
      for (let round = 0; round < rounds; round++) {
        const running = work.start();
        const instant = randomInt(work.spanMs);
        await new Promise((resume) => setTimeout(resume, instant));
        await daemon.kill();
        await running;
        await daemon.start();
        await consistent(`${name} killed after ${instant} ms`);
      }
    });
  }

  /** Whatever is listed works; after its removal nothing is left. */
  async function consistent(when: string): Promise<void> {
    for (const id of (await docker.run('ps', '-aq')).split('\n').filter(Boolean)) {
      const state = await docker.run('inspect', '-f', '{{.State.Status}}', id);
      assert.match(state, /^(created|running|exited)$/, when);
      if (state !== 'running') await docker.run('start', id);
      await docker.run('rm', '-f', id);
    }
    for (const tag of ['built', 'saved']) {
      if ((await docker.run('images', '-q', tag)) === '') continue;
      assert.match(await docker.run('run', '--rm', tag), /^[0-9a-f]{32} /, when);
      await docker.run('rmi', tag);
    }
    assert.equal(await docker.run('run', '--rm', 'busybox', 'echo', 'fine'), 'fine');
    await docker.run('image', 'prune', '-f');
    await docker.run('builder', 'prune', '-af');
    // Directories of what was removed are deleted after the answer; a leak would stay.
    for (let left = 50; left > 0 && !isDeepStrictEqual(leavings(daemon), clean); left--) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
    assert.deepEqual(leavings(daemon), clean, when);
  }
});
