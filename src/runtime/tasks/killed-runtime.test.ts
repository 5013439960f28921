import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { newId } from '#base';
import { enterPrivateMounts, RuntimeFixture } from '#testkit';

enterPrivateMounts();

// Kills itself in the call that the file `when` names, at its start or after crun did its work.
const script = `#!/bin/sh
directory=$(dirname "$0")
when=$(cat "$directory/when")
case " $* " in
  *" $when "*) [ ! -e "$directory/late" ] || crun "$@"; kill -9 $$ ;;
esac
exec crun "$@"
`;

describe('when the OCI runtime is killed', () => {
  let directory: string;
  let fixture: RuntimeFixture;
  before(async () => {
    directory = await mkdtemp('/tmp/berth-runtime-killed-');
    await writeFile(join(directory, 'when'), 'never');
    const path = join(directory, 'crun');
    await writeFile(path, script, { mode: 0o755 });
    fixture = await RuntimeFixture.create([{ name: 'crun', path }], 2000);
  });
  after(async () => {
    await fixture.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  for (const late of [false, true]) {
    it(`${late ? 'after' : 'before'} it made the container, create fails and leaves nothing`, async () => {
      await writeFile(join(directory, 'when'), 'create');
      if (late) await writeFile(join(directory, 'late'), '');
      const id = newId();
      await assert.rejects(fixture.create(['sleep', '300'], { id }));
      await writeFile(join(directory, 'when'), 'never');
      await rm(join(directory, 'late'), { force: true });
      assert.deepEqual(await fixture.runtime.list(), []);
      assert.equal(existsSync(`/sys/fs/cgroup/memory${fixture.cgroupParent}/${id}`), false);
      const task = await fixture.create(['true'], { id });
      await task.start();
      assert.equal((await task.exit).code, 0);
      await task.remove();
    });
  }
});
