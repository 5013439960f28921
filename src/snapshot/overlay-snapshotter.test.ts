import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createMounts, createProcesses } from '#host';
import { type Database, openDatabase } from '#metadata';
import { snapshotterSuite } from '#testkit';
import { createOverlaySnapshotter } from './overlay-snapshotter.ts';
import { SharedSync } from './shared-sync.ts';
import { snapshotMigrations } from './snapshot-records.ts';

const mounts = createMounts();
const processes = createProcesses();

async function fixture(rootName: string, withLink: boolean) {
  const directory = mkdtempSync(join(tmpdir(), 'berth-snapshot-'));
  const scratch = join(directory, 'scratch');
  mkdirSync(scratch);
  const database = openDatabase(':memory:', snapshotMigrations);
  const root = join(directory, rootName);
  const link = withLink ? { link: join(directory, 'l') } : {};
  const snapshotter = await createOverlaySnapshotter({ database, root, mounts, processes, ...link });
  return {
    snapshotter,
    scratch,
    close: async () => {
      database.close();
      rmSync(directory, { recursive: true });
    },
  };
}

snapshotterSuite('the overlay snapshotter with a short link', () => fixture('snapshots', true));
snapshotterSuite('the overlay snapshotter below a long path', () => fixture('long-name-'.repeat(12), false));

describe('the overlay snapshotter after a crash', () => {
  let root: string;
  let database: Database;
  const open = () => createOverlaySnapshotter({ database, root, mounts, processes });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-snapshot-'));
    database = openDatabase(':memory:', snapshotMigrations);
  });
  afterEach(() => {
    database.close();
    rmSync(root, { recursive: true });
  });

  it('removes directories without a record and half-done removals', async () => {
    mkdirSync(join(root, '7', 'fs'), { recursive: true });
    mkdirSync(join(root, 'removed-3'));
    const snapshotter = await open();
    const { removed } = await snapshotter.reconcile();
    assert.deepEqual(removed.sort(), [join(root, '7'), join(root, 'removed-3')]);
    assert.deepEqual(readdirSync(root), []);
  });

  it('removes records without a directory, with all that was made on them', async () => {
    const snapshotter = await open();
    await snapshotter.prepare('a');
    await snapshotter.commit('base', 'a');
    await snapshotter.prepare('kept');
    await snapshotter.prepare('box', 'base');
    rmSync(await snapshotter.directory('base'), { recursive: true });
    const { removed } = await snapshotter.reconcile();
    assert.ok(removed.includes('base') && removed.includes('box'));
    assert.deepEqual(
      (await snapshotter.list()).map((snapshot) => snapshot.key),
      ['kept'],
    );
    assert.equal(readdirSync(root).length, 1);
  });

  it('finishes a commit that was recorded', async () => {
    const snapshotter = await open();
    await snapshotter.prepare('a');
    const directory = await snapshotter.directory('a');
    await snapshotter.commit('base', 'a');
    mkdirSync(join(directory, '../work/work'), { recursive: true });
    assert.deepEqual(await snapshotter.reconcile(), { removed: [] });
    assert.equal(existsSync(join(directory, '../work')), false);
  });

  it('does not use a number again that a leftover directory has', async () => {
    const snapshotter = await open();
    await snapshotter.prepare('a');
    const number = Number(basename(dirname(await snapshotter.directory('a'))));
    mkdirSync(join(root, String(number + 1)));
    writeFileSync(join(root, String(number + 1), 'old'), '');
    await snapshotter.prepare('b');
    assert.equal(await snapshotter.directory('b'), join(root, String(number + 2), 'fs'));
  });

  it('points the link to its root again', async () => {
    const link = join(root, 'link');
    for (const name of ['first', 'second']) {
      await createOverlaySnapshotter({ database, root: join(root, name), link, mounts, processes });
    }
    assert.equal(readlinkSync(link), join(root, 'second'));
  });
});

describe('SharedSync', () => {
  it('runs once for all who ask while another sync runs, and that one starts after they asked', async () => {
    const ends: (() => void)[] = [];
    const sync = new SharedSync(() => new Promise<void>((resolve) => ends.push(resolve)));
    const first = sync.run();
    const later = [sync.run(), sync.run(), sync.run()];
    assert.equal(ends.length, 1);
    ends[0]?.();
    await first;
    await new Promise(setImmediate);
    assert.equal(ends.length, 2);
    ends[1]?.();
    await Promise.all(later);
    const last = sync.run();
    assert.equal(ends.length, 3);
    ends[2]?.();
    await last;
  });
});

describe('a snapshot with a size', () => {
  const size = 16 * 1024 * 1024;

  it('takes so many bytes and no more, in every mount, and leaves nothing mounted', async () => {
    const { snapshotter, scratch, close } = await fixture('snapshots', true);
    const target = join(scratch, 'target');
    mkdirSync(target);
    await snapshotter.prepare('base-active');
    writeFileSync(join(await snapshotter.directory('base-active'), 'below'), 'from the layer');
    await snapshotter.commit('base', 'base-active');
    await snapshotter.prepare('box', 'base', { size });
    await snapshotter.mount('box', target);
    assert.equal(readFileSync(join(target, 'below'), 'utf8'), 'from the layer');
    writeFileSync(join(target, 'half'), Buffer.alloc(size / 2));
    assert.throws(() => writeFileSync(join(target, 'more'), Buffer.alloc(size)), /ENOSPC/);
    rmSync(join(target, 'more'));
    assert.equal((await snapshotter.usage('box')).bytes, size / 2);
    assert.ok(existsSync(join(await snapshotter.directory('box'), 'half')));
    await snapshotter.unmount(target);
    await snapshotter.mount('box', target, { readonly: true });
    assert.ok(existsSync(join(target, 'half')));
    await snapshotter.unmount(target);
    await assert.rejects(snapshotter.commit('layer', 'box'), /cannot become a layer/);
    await snapshotter.remove('box');
    assert.deepEqual(
      (await mounts.list()).filter((mount) => mount.target.startsWith(dirname(scratch))),
      [],
    );
    await close();
  });

  it('is refused when too small, and leaves nothing', async () => {
    const { snapshotter, scratch, close } = await fixture('snapshots', true);
    await assert.rejects(snapshotter.prepare('box', undefined, { size: 4096 }), /too small/);
    assert.equal(await snapshotter.has('box'), false);
    assert.deepEqual(readdirSync(join(dirname(scratch), 'snapshots')), []);
    await close();
  });
});
