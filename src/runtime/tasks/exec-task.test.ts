import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isBerthError, newId } from '#base';
import type { RuntimeProcess } from '#oci';
import type { Task } from '#runtime';
import { collect, enterPrivateMounts, RuntimeFixture } from '#testkit';

enterPrivateMounts();

const run = (...args: string[]): RuntimeProcess => ({ args, env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 } });

describe('an exec', () => {
  let fixture: RuntimeFixture;
  let task: Task;
  before(async () => {
    fixture = await RuntimeFixture.create();
    task = await fixture.create(['sleep', '600']);
    await task.start();
  });
  after(() => fixture.dispose());

  it('gives all output and its exit code', async () => {
    const exec = await task.exec({ id: newId(), process: run('sh', '-c', 'echo a; echo b >&2; exit 4'), stdin: false });
    const output = collect((await exec.attach()).output);
    await exec.start();
    assert.ok(exec.pid > 0);
    assert.equal((await exec.exit).code, 4);
    assert.deepEqual(await output, { stdout: 'a\n', stderr: 'b\n' });
  });

  it('reads its stdin to the end', async () => {
    const exec = await task.exec({ id: newId(), process: run('cat'), stdin: true });
    const attachment = await exec.attach();
    const output = collect(attachment.output);
    await exec.start();
    await attachment.write(Buffer.from('hello'));
    attachment.endInput();
    assert.equal((await output).stdout, 'hello');
    assert.equal((await exec.exit).code, 0);
  });

  // crun sets the size only after it has let the process go, so the process may have to look again.
  it('has a terminal where asked, soon of the size asked for', async () => {
    const process = {
      ...run('sh', '-c', 'until [ "$(stty size 2>/dev/null)" = "30 90" ]; do :; done; stty size'),
      terminal: true,
      consoleSize: { height: 30, width: 90 },
    };
    const exec = await task.exec({ id: newId(), process, stdin: true });
    const output = collect((await exec.attach()).output);
    await exec.start();
    await exec.exit;
    assert.match((await output).stdout, /^30 90\r\n/);
  });

  it('tells why a program cannot be started', async () => {
    const cases = [
      ['no-such-program', 'not-found'],
      ['/etc', 'permission-denied'],
      ['/etc/passwd', 'permission-denied'],
    ] as const;
    for (const [program, reason] of cases) {
      const exec = await task.exec({ id: newId(), process: run(program), stdin: false });
      await assert.rejects(exec.start(), (error) => isBerthError(error, 'invalid') && error.details.reason === reason);
    }
  });

  it('is found again after the daemon died', async () => {
    const running = await task.exec({ id: newId(), process: run('sh', '-c', 'read x; exit 6'), stdin: true });
    await running.start();
    const adopted = await (await fixture.restart()).adopt(task.id);
    const found = (await adopted?.execs())?.find((exec) => exec.id === running.id);
    assert.ok(found);
    assert.equal(found.pid, running.pid);
    await (await found.attach()).write(Buffer.from('\n'));
    assert.equal((await found.exit).code, 6);
  });

  it('ends with its container', async () => {
    const other = await fixture.create(['sleep', '600']);
    await other.start();
    const exec = await other.exec({ id: newId(), process: run('sleep', '500'), stdin: false });
    await exec.start();
    await other.remove();
    assert.equal((await exec.exit).code, 137);
  });
});
