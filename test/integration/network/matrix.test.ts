import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Docker, importBusybox, TestDaemon } from '#testkit';
import { World } from './connectivity.ts';

// What dockerd 28.5 lets through, recorded by record-matrix.ts.
const path = fileURLToPath(new URL('../../../test/integration/network/testdata/reachability.json', import.meta.url));
const recorded = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;

describe('who reaches whom, by TCP and UDP', () => {
  let daemon: TestDaemon;
  let world: World;
  let measured: Record<string, string>;

  before(async () => {
    daemon = await TestDaemon.start();
    importBusybox(daemon.socket);
    world = await World.create(new Docker(daemon.host), 'mtx-');
    measured = await world.measure();
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
  });

  test('every cell was measured', () => assert.deepEqual(Object.keys(measured), Object.keys(recorded)));

  for (const [cell, expected] of Object.entries(recorded)) {
    test(`${cell}: ${expected}`, () => assert.equal(measured[cell], expected));
  }
});
