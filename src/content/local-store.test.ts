import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { digestOf } from '#base';
import { contentStoreSuite } from '#testkit';
import { openContentStore } from './local-store.ts';

const newRoot = () => mkdtempSync(join(tmpdir(), 'berth-content-'));

contentStoreSuite('the local store', async () => {
  const root = newRoot();
  return {
    store: await openContentStore({ root }),
    close: async () => {
      assert.deepEqual(readdirSync(join(root, 'ingest')), [], 'the ingest directory is empty after use');
      rmSync(root, { recursive: true });
    },
  };
});

describe('openContentStore after a crash', () => {
  let root: string;
  beforeEach(() => {
    root = newRoot();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('drops unkeyed writes, keeps young keyed ones and drops old ones', async () => {
    const before = await openContentStore({ root });
    for (const options of [{}, { key: 'young' }, { key: 'old' }]) {
      const writer = await before.writer(options);
      await writer.write(Buffer.from('partial'));
      // The process is gone: nothing ends the write, only the descriptor goes.
      await writer.abort({ keep: true });
    }
    const old = join(root, 'ingest', `key-${digestOf('old').slice(7)}`);
    utimesSync(old, 0, 0);
    const after = await openContentStore({ root });
    assert.deepEqual(readdirSync(join(root, 'ingest')), [`key-${digestOf('young').slice(7)}`]);
    const writer = await after.writer({ key: 'young' });
    assert.equal(writer.size, 7);
    await writer.write(Buffer.from(' and the rest'));
    await writer.commit({ digest: digestOf('partial and the rest') });
  });

  it('never takes a damaged rest of an earlier write for the blob', async () => {
    const before = await openContentStore({ root });
    const bytes = randomBytes(600_000);
    const first = await before.writer({ key: 'layer' });
    await first.write(randomBytes(300_000));
    await first.abort({ keep: true });
    const after = await openContentStore({ root });
    const second = await after.writer({ key: 'layer' });
    await second.write(bytes.subarray(second.size));
    await assert.rejects(second.commit({ digest: digestOf(bytes) }), /has digest/);
    const third = await after.writer({ key: 'layer' });
    assert.equal(third.size, 0);
    await third.abort();
  });
});
