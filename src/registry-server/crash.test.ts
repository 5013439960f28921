import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { TestRegistry } from './fixture.test.ts';
import { surviveKills } from './kill-fixture.test.ts';
import { postgresPrograms, TestPostgres } from './postgres-fixture.test.ts';
import { S3Bucket } from './s3/s3-bucket.ts';
import { hasSwift, TestSwift } from './swift-fixture.test.ts';

/** How often the registry is killed in each of these tests; undefined for what each takes in a common run. */
const kills = process.env.BERTH_REGISTRY_KILLS === undefined ? undefined : Number(process.env.BERTH_REGISTRY_KILLS);
const mib = 1024 * 1024;

it('serves no torn image after being killed at any instant of pushes, pulls, deletes and collections', async () => {
  const data = await mkdtemp(join(tmpdir(), 'registry-server-'));
  try {
    const layerOf = (salt: number) => Buffer.alloc(300_000, `layer ${salt % 7} `);
    await surviveKills({ data, settings: {}, kills: kills ?? 12, layerOf, chunk: 400_000, longest: 250 });
    assert.deepEqual(await readdir(join(data, 'content/ingest')), []);
  } finally {
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  }
});

const skip = (postgresPrograms() === undefined || !hasSwift()) && 'needs PostgreSQL and Swift';

it('serves no torn image from S3 and PostgreSQL either, and sweeps what the killed servers left', {
  skip,
}, async () => {
  const data = await mkdtemp(join(tmpdir(), 'registry-server-'));
  await using postgres = await TestPostgres.start();
  await using swift = await TestSwift.start();
  try {
    const s3 = await swift.bucket();
    const storage = { s3: { ...s3, partSize: 5 * mib, copyLimit: 6 * mib } };
    const settings = { storage, records: { postgres: await postgres.database() } };
    // Some layers are of several chunks and parts.
    const layerOf = (salt: number) => Buffer.alloc(salt % 3 === 0 ? 11 * mib : 300_000, `layer ${salt % 7} `);
    await surviveKills({ data, settings, kills: kills ?? 4, layerOf, chunk: 6 * mib, longest: 1500 });
    const garbage = { interval: '0s', grace: '0s', uploadLifetime: '0s' };
    await using registry = await TestRegistry.start({ ...settings, garbage });
    const bucket = await S3Bucket.open(s3);
    const left = async () => {
      for await (const { key } of bucket.list('uploads/')) return key;
      for await (const { key } of bucket.listParts('')) return key;
      return undefined;
    };
    // By the service's clock, which rounds up, the last of them become old within a second.
    const deadline = Date.now() + 30_000;
    do await registry.server.collectGarbage();
    while ((await left()) !== undefined && Date.now() < deadline);
    assert.equal(await left(), undefined);
    assert.equal((await registry.server.collectGarbage()).uploads, 0);
  } finally {
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  }
});
