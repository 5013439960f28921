import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { TreeWatcher } from './tree-watcher.ts';

describe('TreeWatcher', () => {
  const base = mkdtempSync(join(tmpdir(), 'berth-compose-watch-'));
  after(() => rmSync(base, { recursive: true, force: true }));

  /** Watches a new directory with `src/` and `src/deep/`. */
  async function open(name: string, options: { paths?: string[]; skips?: (path: string) => boolean } = {}) {
    const root = join(base, name);
    mkdirSync(join(root, 'src/deep'), { recursive: true });
    writeFileSync(join(root, 'src/old'), 'old');
    const paths = (options.paths ?? ['src']).map((path) => join(root, path));
    const watcher = new TreeWatcher({ paths, skips: options.skips ?? (() => false) });
    await watcher.open();
    const batches = watcher.batches();
    /** All that is told until `wanted` has been. */
    const told = async (...wanted: string[]): Promise<string[]> => {
      const seen = new Set<string>();
      while (wanted.some((path) => !seen.has(path))) {
        const { value } = await batches.next();
        for (const path of value ?? []) seen.add(path.slice(root.length + 1));
      }
      return [...seen].sort();
    };
    return { root, watcher, told };
  }

  test('changes that come together are told together, new directories with all that is in them', async () => {
    const { root, watcher, told } = await open('together');
    writeFileSync(join(root, 'src/deep/a'), 'a');
    mkdirSync(join(root, 'src/new/er'), { recursive: true });
    writeFileSync(join(root, 'src/new/er/b'), 'b');
    const paths = ['src/deep/a', 'src/new', 'src/new/er', 'src/new/er/b'];
    assert.deepEqual(await told(...paths), paths);
    writeFileSync(join(root, 'src/new/er/c'), 'c');
    assert.deepEqual(await told('src/new/er/c'), ['src/new/er/c']);
    watcher[Symbol.dispose]();
  });

  test('a directory that is replaced by another of its name is still watched', async () => {
    const { root, watcher, told } = await open('replaced');
    renameSync(join(root, 'src/deep'), join(root, 'away'));
    mkdirSync(join(root, 'src/deep'));
    await told('src/deep');
    writeFileSync(join(root, 'src/deep/x'), 'x');
    await told('src/deep/x');
    rmSync(join(root, 'src'), { recursive: true });
    await told('src', 'src/old', 'src/deep');
    mkdirSync(join(root, 'src'));
    writeFileSync(join(root, 'src/again'), 'again');
    await told('src/again');
    watcher[Symbol.dispose]();
  });

  test('a single file is noticed when it is replaced, and one that was not there when it appears', async () => {
    const { root, watcher, told } = await open('file', { paths: ['src/old', 'later/one'] });
    writeFileSync(join(root, 'src/other'), 'of no interest');
    writeFileSync(join(root, 'src/.tmp'), 'new');
    renameSync(join(root, 'src/.tmp'), join(root, 'src/old'));
    assert.deepEqual(await told('src/old'), ['src/old']);
    mkdirSync(join(root, 'later'));
    writeFileSync(join(root, 'later/one'), '1');
    assert.deepEqual(await told('later/one'), ['later/one']);
    watcher[Symbol.dispose]();
  });

  test('what is skipped is not looked at, and a closed watcher tells nothing more', async () => {
    const { root, watcher, told } = await open('skipped', { skips: (path) => path.endsWith('/deep') });
    writeFileSync(join(root, 'src/deep/a'), 'a');
    writeFileSync(join(root, 'src/b'), 'b');
    assert.deepEqual(await told('src/b'), ['src/b']);
    const end = watcher.batches().next();
    watcher[Symbol.dispose]();
    assert.equal((await end).done, true);
  });
});
