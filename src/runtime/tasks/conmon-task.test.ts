import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { isBerthError, newId } from '#base';
import { collect, enterPrivateMounts, RuntimeFixture } from '#testkit';

enterPrivateMounts();

const terminal = { rows: 24, columns: 80 };

describe('a task', () => {
  let fixture: RuntimeFixture;
  before(async () => {
    fixture = await RuntimeFixture.create();
  });
  after(() => fixture.dispose());

  const monitorOf = (id: string): number =>
    Number(readFileSync(`${fixture.directory}/exec/tasks/${id}/monitor.pid`, 'utf8'));
  const cgroupOf = (id: string): string => `/sys/fs/cgroup/memory${fixture.cgroupParent}/${id}`;

  it('gives all output to who attached before start, in both streams, and its exit code', async () => {
    const task = await fixture.create(['sh', '-c', 'echo out; echo err >&2; exit 7']);
    const output = collect((await task.attach()).output);
    await task.start();
    const status = await task.exit;
    assert.deepEqual(await output, { stdout: 'out\n', stderr: 'err\n' });
    assert.equal(status.code, 7);
    assert.equal(status.oomKilled, false);
    await task.remove();
  });

  it('feeds stdin and ends it when the client ends its input', async () => {
    const task = await fixture.create(['sh', '-c', 'cat; echo end'], { stdin: true, stdinOnce: true });
    const attachment = await task.attach();
    const output = collect(attachment.output);
    await task.start();
    await attachment.write(Buffer.alloc(100_000, 'x'));
    attachment.endInput();
    const { stdout } = await output;
    assert.equal(stdout.length, 100_000 + 4);
    assert.equal((await task.exit).code, 0);
  });

  it('loses nothing of a burst that a slow reader takes after the process has ended', async () => {
    const task = await fixture.create(['head', '-c', '3000000', '/dev/zero']);
    const attachment = await task.attach();
    await task.start();
    let bytes = 0;
    for await (const { data } of attachment.output) {
      bytes += data.length;
      if (bytes > 2_800_000) await task.pids(); // something that takes its time
    }
    assert.equal(bytes, 3_000_000);
  });

  it('keeps stdin open when a client detaches, and lets another attach', async () => {
    const task = await fixture.create(['cat'], { stdin: true, stdinOnce: true });
    const first = await task.attach();
    const second = await task.attach();
    await task.start();
    first.close();
    const output = collect(second.output);
    await second.write(Buffer.from('still here\n'));
    second.endInput();
    assert.equal((await output).stdout, 'still here\n');
    assert.equal((await task.exit).code, 0);
  });

  it('has a terminal of the size asked for, which can be resized', async () => {
    const script = 'stty size; trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done';
    const task = await fixture.create(['sh', '-c', script], {
      stdin: true,
      change: (input) => ({
        ...input,
        process: { ...input.process, terminal: true, consoleSize: { height: terminal.rows, width: terminal.columns } },
      }),
    });
    const attachment = await task.attach();
    await task.start();
    let text = '';
    for await (const { data } of attachment.output) {
      const wasReady = text.includes('ready');
      text += data.toString();
      if (!wasReady && text.includes('ready')) await task.resize({ rows: 40, columns: 100 });
    }
    assert.match(text, /24 80\r\nready\r\n40 100\r\n/);
  });

  it('refuses to resize where there is no terminal', async () => {
    const task = await fixture.create(['sleep', '9']);
    await assert.rejects(task.resize(terminal), (error) => isBerthError(error, 'conflict'));
    await task.remove();
  });

  it('tells why a program cannot be started, and leaves nothing behind', async () => {
    const id = newId();
    await assert.rejects(
      fixture.create(['no-such-program'], { id }),
      (error) =>
        isBerthError(error, 'invalid') && error.details.reason === 'not-found' && /no-such-program/.test(error.message),
    );
    await assert.rejects(
      fixture.create(['/etc/passwd'], { id }),
      (error) => isBerthError(error, 'invalid') && error.details.reason === 'permission-denied',
    );
    assert.ok(!(await fixture.runtime.list()).includes(id));
    assert.ok(!existsSync(cgroupOf(id)));
  });

  it('refuses an id that is taken', async () => {
    const task = await fixture.create(['sleep', '9']);
    await assert.rejects(fixture.create(['true'], { id: task.id }), (error) => isBerthError(error, 'conflict'));
    await task.start();
    assert.equal((await task.pids()).length, 1);
    await task.remove();
  });

  it('takes signals, and reports 128 and the signal', async () => {
    const task = await fixture.create(['sleep', '60']);
    await task.start();
    await task.signal(9);
    assert.equal((await task.exit).code, 137);
    await assert.rejects(task.signal(9), (error) => isBerthError(error, 'not-found'));
  });

  it('pauses, resumes and can be removed while paused', async () => {
    const task = await fixture.create(['sleep', '60']);
    await task.start();
    const state = () =>
      readFileSync(`/sys/fs/cgroup/freezer${fixture.cgroupParent}/${task.id}/freezer.state`, 'utf8').trim();
    await task.pause();
    assert.equal(state(), 'FROZEN');
    await task.resume();
    assert.equal(state(), 'THAWED');
    await task.pause();
    await task.remove();
    assert.equal((await task.exit).code, 137);
    assert.ok(!existsSync(cgroupOf(task.id)));
  });

  it('changes limits and counts what is used', async () => {
    const task = await fixture.create(['sh', '-c', 'sleep 60 & wait']);
    const output = await task.attach();
    await task.start();
    await task.update({ memory: { limit: 64 * 1024 * 1024 }, pids: { limit: 40 } });
    const stats = await task.stats();
    assert.equal(stats.memory.limit, 64 * 1024 * 1024);
    assert.equal(stats.pids.limit, 40);
    assert.ok(stats.memory.usage > 0 && stats.cpu.totalNs > 0 && stats.cpu.systemNs > stats.cpu.totalNs);
    assert.ok((await task.pids()).includes(task.pid));
    output.close();
    await task.remove();
    await assert.rejects(task.stats(), (error) => isBerthError(error, 'not-found'));
  });

  it('reports that the kernel killed it for want of memory', async () => {
    const task = await fixture.create(['sh', '-c', 'x=a; while :; do x=$x$x; done'], {
      change: (input) => ({ ...input, resources: { memory: { limit: 8 * 1024 * 1024, swap: 8 * 1024 * 1024 } } }),
    });
    await task.start();
    const status = await task.exit;
    assert.equal(status.code, 137);
    assert.equal(status.oomKilled, true);
  });

  it('removes a running container with all its processes, any number of times', async () => {
    const task = await fixture.create(['sh', '-c', 'sleep 60 & sleep 61 & wait']);
    await task.start();
    await Promise.all([task.remove(), task.remove()]);
    await task.remove();
    assert.equal((await task.exit).code, 137);
    assert.deepEqual(await task.pids(), []);
    assert.ok(!existsSync(`${fixture.directory}/exec/tasks/${task.id}`));
    await assert.rejects(task.attach(), (error) => isBerthError(error, 'not-found'));
  });

  it('goes on when the daemon dies, and is taken over with its output and exit code', async () => {
    const task = await fixture.create(['sh', '-c', 'read line; echo got $line; exit 5'], { stdin: true });
    await task.start();
    const adopted = await (await fixture.restart()).adopt(task.id);
    assert.ok(adopted);
    assert.equal(adopted.pid, task.pid);
    const attachment = await adopted.attach();
    const output = collect(attachment.output);
    await attachment.write(Buffer.from('it\n'));
    assert.equal((await adopted.exit).code, 5);
    assert.equal((await output).stdout, 'got it\n');
    const late = await (await fixture.restart()).adopt(task.id);
    assert.equal((await late?.exit)?.code, 5);
    await late?.remove();
    assert.equal(await fixture.runtime.adopt(task.id), undefined);
  });

  it('ends the container when its monitor was killed, since its output would be lost', async () => {
    const task = await fixture.create(['sleep', '60']);
    await task.start();
    process.kill(monitorOf(task.id), 'SIGKILL');
    assert.equal((await task.exit).code, 137);
    assert.deepEqual(await task.pids(), []);
    await task.remove();
  });

  it('runs privileged, and with runc', async () => {
    const other = await RuntimeFixture.create([{ name: 'runc', path: 'runc' }]);
    try {
      for (const each of [fixture, other]) {
        const task = await each.create(['sh', '-c', 'mount -t tmpfs none /tmp && grep Seccomp: /proc/self/status'], {
          change: (input) => ({ ...input, security: { ...input.security, privileged: true } }),
        });
        const output = collect((await task.attach()).output);
        await task.start();
        assert.match((await output).stdout, /Seccomp:\s+0/);
        await task.remove();
      }
    } finally {
      await other.dispose();
    }
  });

  it('filters system calls in every container of the same profile, compiled once or anew', async () => {
    for (let round = 0; round < 2; round++) {
      const task = await fixture.create(['sh', '-c', 'grep Seccomp: /proc/self/status; unshare -U true']);
      const output = collect((await task.attach()).output);
      await task.start();
      assert.match((await output).stdout, /Seccomp:\s+2/);
      assert.notEqual((await task.exit).code, 0);
    }
  });
});
