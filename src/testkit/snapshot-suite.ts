import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { isBerthError } from '#base';
import type { Snapshotter } from '#snapshot';

/** What a snapshotter under test comes with: `scratch` is an empty directory for mount points. */
export interface SnapshotterFixture {
  readonly snapshotter: Snapshotter;
  readonly scratch: string;
  close(): Promise<void>;
}

/** What every {@link Snapshotter} must do; needs root. `open` makes an empty one. */
export function snapshotterSuite(name: string, open: () => Promise<SnapshotterFixture>): void {
  describe(`${name} keeps the contract of Snapshotter:`, () => {
    let fixture: SnapshotterFixture;
    let snapshotter: Snapshotter;
    let target: string;
    let count = 0;
    before(async () => {
      fixture = await open();
      snapshotter = fixture.snapshotter;
    });
    after(() => fixture.close());
    beforeEach(() => {
      target = join(fixture.scratch, `target-${++count}`);
      mkdirSync(target);
    });
    afterEach(async () => {
      await snapshotter.unmount(target);
      rmSync(target, { recursive: true });
    });
    const kind = (wanted: 'not-found' | 'conflict') => (error: unknown) => isBerthError(error, wanted);

    /** Commits a layer that holds `files` as `key`. */
    async function layer(key: string, parent: string | undefined, files: Record<string, string>): Promise<void> {
      await snapshotter.prepare(`${key}-active`, parent);
      const directory = await snapshotter.directory(`${key}-active`);
      for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
      await snapshotter.commit(key, `${key}-active`);
    }

    it('puts a layer that was made without a parent on top of one at its commit', async () => {
      await snapshotter.prepare('late-active');
      writeFileSync(join(await snapshotter.directory('late-active'), 'b'), 'late');
      await layer('early', undefined, { a: 'early', b: 'early' });
      chmodSync(await snapshotter.directory('early'), 0o711);
      await snapshotter.commit('late', 'late-active', { onto: 'early' });
      assert.equal((await snapshotter.stat('late')).parent, 'early');
      assert.equal(statSync(await snapshotter.directory('late')).mode & 0o777, 0o711);
      const keys = (await snapshotter.list()).map((snapshot) => snapshot.key);
      assert.ok(keys.indexOf('early') < keys.indexOf('late'));
      await snapshotter.mount('late', target, { readonly: true });
      assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'early');
      assert.equal(readFileSync(join(target, 'b'), 'utf8'), 'late');
      await snapshotter.prepare('other-active', 'early');
      await assert.rejects(snapshotter.commit('other', 'other-active', { onto: 'early' }), kind('conflict'));
      await snapshotter.remove('other-active');
    });

    it('shows a layer on top of its parent, and writes only to the active one', async () => {
      await layer('base', undefined, { a: 'base', b: 'base' });
      await layer('second', 'base', { b: 'second' });
      await snapshotter.prepare('box', 'second');
      await snapshotter.mount('box', target);
      assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'base');
      assert.equal(readFileSync(join(target, 'b'), 'utf8'), 'second');
      writeFileSync(join(target, 'a'), 'changed');
      rmSync(join(target, 'b'));
      const upper = await snapshotter.directory('box');
      assert.equal(readFileSync(join(upper, 'a'), 'utf8'), 'changed');
      const whiteout = statSync(join(upper, 'b'));
      assert.ok(whiteout.isCharacterDevice() && whiteout.rdev === 0);
      assert.equal(readFileSync(join(await snapshotter.directory('base'), 'a'), 'utf8'), 'base');
    });

    it('shows committed ones, and active ones on request, read-only', async () => {
      await layer('ro-1', undefined, { a: '1' });
      await layer('ro-2', 'ro-1', { b: '2' });
      await snapshotter.prepare('ro-box', 'ro-2');
      for (const key of ['ro-1', 'ro-2', 'ro-box']) {
        await snapshotter.mount(key, target, { readonly: true });
        assert.equal(readFileSync(join(target, 'a'), 'utf8'), '1');
        assert.throws(() => writeFileSync(join(target, 'new'), ''), { code: 'EROFS' });
        await snapshotter.unmount(target);
      }
    });

    it('gives a writable snapshot without a parent', async () => {
      await snapshotter.prepare('scratch');
      await snapshotter.mount('scratch', target);
      writeFileSync(join(target, 'file'), 'x');
      assert.ok(existsSync(join(await snapshotter.directory('scratch'), 'file')));
    });

    it('gives the root directory the mode it has below', async () => {
      await snapshotter.prepare('mode-active');
      chmodSync(await snapshotter.directory('mode-active'), 0o1777);
      await snapshotter.commit('mode', 'mode-active');
      await snapshotter.prepare('mode-box', 'mode');
      await snapshotter.mount('mode-box', target);
      assert.equal(statSync(target).mode & 0o7777, 0o1777);
    });

    it('describes a snapshot and its parent', async () => {
      await layer('known', undefined, {});
      await snapshotter.prepare('on-known', 'known');
      assert.equal((await snapshotter.stat('known')).kind, 'committed');
      const active = await snapshotter.stat('on-known');
      assert.equal(active.kind, 'active');
      assert.equal(active.parent, 'known');
      const keys = (await snapshotter.list()).map((snapshot) => snapshot.key);
      assert.ok(keys.indexOf('known') < keys.indexOf('on-known'));
      assert.equal(await snapshotter.has('known-active'), false);
    });

    it('refuses a key that is taken and a parent that is missing or active', async () => {
      await snapshotter.prepare('taken');
      await assert.rejects(snapshotter.prepare('taken'), kind('conflict'));
      await assert.rejects(snapshotter.prepare('orphan', 'nobody'), kind('not-found'));
      await assert.rejects(snapshotter.prepare('orphan', 'taken'), kind('not-found'));
      assert.equal(await snapshotter.has('orphan'), false);
    });

    it('says not-found for what is not there, and takes its removal as done', async () => {
      await assert.rejects(snapshotter.stat('nobody'), kind('not-found'));
      await assert.rejects(snapshotter.mounts('nobody'), kind('not-found'));
      await assert.rejects(snapshotter.commit('name', 'nobody'), kind('not-found'));
      await snapshotter.remove('nobody');
    });

    it('keeps the first of two commits under one name and drops the other', async () => {
      await Promise.all([snapshotter.prepare('race-1'), snapshotter.prepare('race-2')]);
      const dropped = await Promise.all(['race-1', 'race-2'].map((key) => snapshotter.directory(key)));
      const [one, two] = await Promise.all([
        snapshotter.commit('race', 'race-1'),
        snapshotter.commit('race', 'race-2'),
      ]);
      assert.deepEqual(one, two);
      assert.equal(dropped.filter((directory) => existsSync(directory)).length, 1);
      assert.equal(await snapshotter.has('race-2'), false);
    });

    it('removes a snapshot with its files, but never one that another stands on', async () => {
      await layer('under', undefined, { a: '' });
      await snapshotter.prepare('over', 'under');
      const directory = await snapshotter.directory('under');
      await assert.rejects(snapshotter.remove('under'), kind('conflict'));
      assert.ok(existsSync(join(directory, 'a')));
      await snapshotter.remove('over');
      await snapshotter.remove('under');
      assert.equal(existsSync(directory), false);
      assert.equal(await snapshotter.has('under'), false);
    });

    it('counts bytes and inodes of its own changes', async () => {
      await layer('sized', undefined, { a: '12345', b: '678' });
      await layer('sized-2', 'sized', { c: '1' });
      const { diskBytes, ...usage } = await snapshotter.usage('sized');
      assert.deepEqual(usage, { bytes: 8, inodes: 2 });
      const shown = execFileSync('du', ['-s', '-B1', await snapshotter.directory('sized')], { encoding: 'utf8' });
      assert.equal(diskBytes, Number.parseInt(shown, 10));
      assert.deepEqual(await snapshotter.usage('sized'), { diskBytes, ...usage });
      assert.equal((await snapshotter.usage('sized-2')).bytes, 1);
    });

    it('mounts 127 layers', async () => {
      let parent: string | undefined;
      for (let index = 1; index <= 127; index++) {
        await layer(`deep-${index}`, parent, { [`file-${index}`]: `${index}` });
        parent = `deep-${index}`;
      }
      await snapshotter.prepare('deep-box', parent);
      await snapshotter.mount('deep-box', target);
      for (const index of [1, 64, 127]) assert.equal(readFileSync(join(target, `file-${index}`), 'utf8'), `${index}`);
      writeFileSync(join(target, 'file-1'), 'changed');
    });
  });
}
