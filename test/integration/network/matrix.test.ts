import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { daemonForTests } from '#testkit';
import { World } from './connectivity.ts';

// What dockerd 28.5 lets through, recorded by record-matrix.ts.
const path = fileURLToPath(new URL('../../../test/integration/network/testdata/reachability.json', import.meta.url));
const recorded = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;

describe('who reaches whom, by TCP and UDP', () => {
  let world: World;
  let measured: Record<string, string>;
  after(() => world?.[Symbol.asyncDispose]());
  const { docker } = daemonForTests();

  before(async () => {
    world = await World.create(docker, 'mtx-');
    measured = await world.measure();
  });

  test('every cell was measured', () => assert.deepEqual(Object.keys(measured), Object.keys(recorded)));

  for (const [cell, expected] of Object.entries(recorded)) {
    test(`${cell}: ${expected}`, () => assert.equal(measured[cell], expected));
  }
});
