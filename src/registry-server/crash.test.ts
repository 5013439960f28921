import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { surviveKills } from './kill-fixture.test.ts';

/** How often the registry is killed in each of these tests. */
const kills = Number(process.env.BERTH_REGISTRY_KILLS ?? 12);

it('serves no torn image after being killed at any instant of pushes, pulls, deletes and collections', async () => {
  const data = await mkdtemp(join(tmpdir(), 'registry-server-'));
  try {
    const layerOf = (salt: number) => Buffer.alloc(300_000, `layer ${salt % 7} `);
    await surviveKills({ data, settings: {}, kills, layerOf, chunk: 400_000, longest: 250 });
    assert.deepEqual(await readdir(join(data, 'content/ingest')), []);
  } finally {
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  }
});
