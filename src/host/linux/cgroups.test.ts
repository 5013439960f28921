import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Cgroup, detectCgroups } from './cgroups.ts';

it('detectCgroups finds the hierarchies of this host', async () => {
  const layout = await detectCgroups();
  const controllers = layout.hierarchies.flatMap((hierarchy) => hierarchy.controllers);
  for (const name of ['memory', 'pids', 'cpuset']) assert.ok(controllers.includes(name), name);
  assert.equal(layout.kind === 'v2', layout.hierarchies.length === 1 && !controllers.includes('devices'));
});

it('a cgroup is read, and removed with all below it', async () => {
  const layout = await detectCgroups();
  const cgroup = new Cgroup(layout, `/berth-host-test-${process.pid}`);
  assert.equal(await cgroup.exists(), false);
  for (const { mountpoint } of layout.hierarchies) mkdirSync(join(mountpoint, cgroup.path, 'a/b'), { recursive: true });
  assert.equal(await cgroup.exists(), true);
  assert.deepEqual(await cgroup.pidsAnywhere(), []);
  assert.equal((await cgroup.read('pids', 'pids.current'))?.trim(), '0');
  assert.equal(await cgroup.read('pids', 'no-such-file'), undefined);
  await cgroup.remove();
  assert.equal(await cgroup.exists(), false);
  assert.equal(await cgroup.write('pids', 'pids.max', '3'), false);
  await cgroup.remove();
});
