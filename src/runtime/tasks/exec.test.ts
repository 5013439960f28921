import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isBerthError, newId } from '#base';
import type { RuntimeProcess } from '#oci';
import type { Task } from '#runtime';
import { collect, enterPrivateMounts, RuntimeFixture } from '#testkit';

enterPrivateMounts();

const run = (...args: string[]): RuntimeProcess => ({ args, env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 } });

/** A task that sleeps, for all tests of a suite. */
function sleeperForTests(): { readonly fixture: RuntimeFixture; readonly task: Task } {
  const sleeper = {} as { fixture: RuntimeFixture; task: Task };
  before(async () => {
    sleeper.fixture = await RuntimeFixture.create();
    sleeper.task = await sleeper.fixture.create(['sleep', '600']);
    await sleeper.task.start();
  });
  after(() => sleeper.fixture.dispose());
  return sleeper;
}

for (const attached of [true, false]) {
  describe(attached ? 'an exec whose output is taken from the start' : 'an exec with a monitor', () => {
    const sleeper = sleeperForTests();

    const make = (process: RuntimeProcess, stdin = false) =>
      sleeper.task.exec({ id: newId(), process, stdin, attached });

    it('gives all output and its exit code', async () => {
      const exec = await make(run('sh', '-c', 'echo a; echo b >&2; exit 4'));
      const output = collect((await exec.attach()).output);
      await exec.start();
      assert.equal((await exec.exit).code, 4);
      assert.deepEqual(await output, { stdout: 'a\n', stderr: 'b\n' });
    });

    it('reads its stdin to the end', async () => {
      const exec = await make(run('cat'), true);
      const attachment = await exec.attach();
      const output = collect(attachment.output);
      await exec.start();
      assert.ok(exec.pid > 0);
      await attachment.write(Buffer.from('hello'));
      attachment.endInput();
      assert.equal((await output).stdout, 'hello');
      assert.equal((await exec.exit).code, 0);
    });

    it('passes much data both ways to a slow reader', async () => {
      const exec = await make(run('cat'), true);
      const attachment = await exec.attach();
      await exec.start();
      const block = Buffer.alloc(64 * 1024, 'x');
      const blocks = 160;
      const writing = (async () => {
        for (let count = 0; count < blocks; count += 1) await attachment.write(block);
        attachment.endInput();
      })();
      let received = 0;
      for await (const { data } of attachment.output) {
        received += data.length;
        await setImmediate();
      }
      await writing;
      assert.equal(received, blocks * block.length);
    });

    it('tells a signal by its exit code', async () => {
      const exec = await make(run('sh', '-c', 'kill -9 $$'));
      await exec.start();
      assert.equal((await exec.exit).code, 137);
    });

    it('ends with its process, whatever that left behind', async () => {
      const exec = await make(run('sh', '-c', 'sleep 300 & echo on'));
      const output = collect((await exec.attach()).output);
      await exec.start();
      assert.equal((await exec.exit).code, 0);
      assert.equal((await output).stdout, 'on\n');
    });

    it('tells why a program cannot be started', async () => {
      const cases = [
        ['no-such-program', 'not-found'],
        ['/etc', 'permission-denied'],
        ['/etc/passwd', 'permission-denied'],
      ] as const;
      for (const [program, reason] of cases) {
        const exec = await make(run(program));
        const refused = (error: unknown) => isBerthError(error, 'invalid') && error.details.reason === reason;
        await assert.rejects(exec.start(), refused);
      }
      assert.deepEqual(await readdir(join(sleeper.fixture.directory, 'exec/tasks', sleeper.task.id, 'execs')), []);
    });

    it('leaves no file behind when it has ended or was discarded', async () => {
      const ended = await make(run('true'));
      await ended.start();
      await ended.exit;
      const running = await make(run('sleep', '500'));
      await running.start();
      await running.discard();
      assert.equal((await running.exit).code, 137);
      await ended.discard();
      assert.deepEqual(await readdir(join(sleeper.fixture.directory, 'exec/tasks', sleeper.task.id, 'execs')), []);
      assert.deepEqual(await sleeper.task.execs(), []);
    });

    it('ends with its container', async () => {
      const other = await sleeper.fixture.create(['sleep', '600']);
      await other.start();
      const exec = await other.exec({ id: newId(), process: run('sleep', '500'), stdin: false, attached });
      await exec.start();
      await other.remove();
      assert.equal((await exec.exit).code, 137);
    });
  });
}

describe('an exec with a monitor', () => {
  const sleeper = sleeperForTests();

  // crun sets the size only after it has let the process go, so the process may have to look again.
  it('has a terminal where asked, soon of the size asked for', async () => {
    const process = {
      ...run('sh', '-c', 'until [ "$(stty size 2>/dev/null)" = "30 90" ]; do :; done; stty size'),
      terminal: true,
      consoleSize: { height: 30, width: 90 },
    };
    const exec = await sleeper.task.exec({ id: newId(), process, stdin: true, attached: true });
    const output = collect((await exec.attach()).output);
    await exec.start();
    await exec.exit;
    assert.match((await output).stdout, /^30 90\r\n/);
  });

  it('is found again after the daemon died', async () => {
    const process = run('sh', '-c', 'read x; exit 6');
    const running = await sleeper.task.exec({ id: newId(), process, stdin: true, attached: false });
    await running.start();
    const adopted = await (await sleeper.fixture.restart()).adopt(sleeper.task.id);
    const found = (await adopted?.execs())?.find((exec) => exec.id === running.id);
    assert.ok(found);
    assert.equal(found.pid, running.pid);
    await (await found.attach()).write(Buffer.from('\n'));
    assert.equal((await found.exit).code, 6);
  });
});
