import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, test } from 'node:test';
import { daemonForTests } from '#testkit';

interface Event {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

const format = '{{json .}}';
const untilFile = (code: number) => `while [ ! -e /end ]; do sleep 0.05; done; exit ${code}`;

describe('events over a kill -9 of the daemon', () => {
  const { daemon, docker } = daemonForTests();

  const events = async (since: string): Promise<Event[]> => {
    const until = (Date.now() / 1000).toFixed(6);
    const text = await docker.run('events', '--since', since, '--until', until, '--format', format);
    return text.split('\n').map((line) => JSON.parse(line) as Event);
  };
  /** What happened to one container, exec noise left out. */
  const life = (all: readonly Event[], name: string) =>
    all
      .filter(({ Type, Actor }) => Type === 'container' && Actor.Attributes.name === name)
      .map(({ Action }) => Action)
      .filter((action) => !action.startsWith('exec'));

  test('have no gap: what was told stays, what happened meanwhile is told, in order and once', async () => {
    const start = (name: string, ...args: string[]) => docker.run('run', '-d', '--name', name, ...args);
    await start('ends', 'busybox', 'sh', '-c', untilFile(3));
    await start('removed', '--rm', 'busybox', 'sh', '-c', untilFile(0));
    await start('restarted', '--restart', 'always', 'busybox', 'sh', '-c', untilFile(1));
    const health = ['--health-cmd', 'test ! -e /bad', '--health-interval', '200ms', '--health-retries', '1'];
    await start('watched', ...health, 'busybox', 'sleep', '600');
    const pids = new Map<string, string>();
    for (const name of ['ends', 'removed', 'restarted', 'watched']) {
      pids.set(name, await docker.run('inspect', '-f', '{{.State.Pid}}', name));
    }
    const told = await events('0');
    const last = told.at(-1);
    assert.ok(last);

    await daemon.kill();
    for (const name of ['ends', 'removed', 'restarted']) closeSync(openSync(`/proc/${pids.get(name)}/root/end`, 'w'));
    closeSync(openSync(`/proc/${pids.get('watched')}/root/bad`, 'w'));
    const gone = [...pids].filter(([name]) => name !== 'watched').map(([, pid]) => pid);
    while (gone.some((pid) => pidExists(Number(pid)))) await new Promise((resolve) => setTimeout(resolve, 10));
    await daemon.start();
    const format = '{{.State.Health.Status}}';
    while ((await docker.run('inspect', '-f', format, 'watched')) !== 'unhealthy');
    while ((await docker.run('inspect', '-f', '{{.State.Running}}', 'restarted')) !== 'true');

    const all = await events('0');
    assert.deepEqual(all.slice(0, told.length), told);
    const times = all.map(({ timeNano }) => timeNano);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.equal(new Set(all.map((event) => JSON.stringify(event))).size, all.length);
    assert.deepEqual(life(all, 'ends'), ['create', 'start', 'die']);
    assert.deepEqual(life(all, 'removed'), ['create', 'start', 'die', 'destroy']);
    assert.deepEqual(life(all, 'restarted').slice(0, 4), ['create', 'start', 'die', 'start']);
    assert.equal(life(all, 'watched').at(-1), 'health_status: unhealthy');
    const died = all.find(({ Action, Actor }) => Action === 'die' && Actor.Attributes.name === 'ends');
    assert.equal(died?.Actor.Attributes.exitCode, '3');
    const left = all.filter(({ Type, Action }) => Type === 'network' && Action === 'disconnect');
    for (const name of ['ends', 'removed']) {
      const id = all.find(({ Actor }) => Actor.Attributes.name === name)?.Actor.ID;
      assert.equal(left.filter(({ Actor }) => Actor.Attributes.container === id).length, 1, name);
    }

    // A client that reconnects with the time of the last event it saw misses nothing.
    const since = `${Math.floor(last.timeNano / 1e9)}.${String(last.timeNano % 1e9).padStart(9, '0')}`;
    const missed = (await events(since)).map((event) => JSON.stringify(event));
    for (const event of all.slice(told.length)) assert.ok(missed.includes(JSON.stringify(event)));
  });
});

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
