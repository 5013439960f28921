import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { get } from 'node:http';
import { describe, test } from 'node:test';
import { type Docker, daemonForTests } from '#testkit';

/** Deaths of the daemon; BERTH_EVENT_KILLS=50 for a long run. */
const kills = Number(process.env.BERTH_EVENT_KILLS ?? 4);

interface WireEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: bigint;
}

/** `timeNano` does not fit a number: it is read as text. */
function parse(line: string): WireEvent {
  return { ...JSON.parse(line), timeNano: BigInt(/"timeNano":(\d+)/.exec(line)?.[1] ?? 0) };
}

/** Nanoseconds as the query of `/events` has them. */
function seconds(nano: bigint): string {
  return `${nano / 1_000_000_000n}.${String(nano % 1_000_000_000n).padStart(9, '0')}`;
}

/** Reads events after `since` until the connection ends, which a killed daemon does; each is given to `seen`. */
function follow(socketPath: string, since: bigint, seen: (event: WireEvent) => void) {
  const asked = get({ socketPath, path: `/events?since=${seconds(since)}` });
  const ended = new Promise<void>((resolve) => {
    asked.on('error', () => resolve());
    asked.on('response', (response) => {
      let rest = '';
      response.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines.filter(Boolean)) seen(parse(line));
      });
      response.on('error', () => resolve());
      response.on('close', () => resolve());
    });
  });
  return { ended, stop: () => asked.destroy() };
}

describe('events over kill -9 of the daemon', () => {
  const { daemon, docker } = daemonForTests();

  const history = async (): Promise<WireEvent[]> => {
    const events: WireEvent[] = [];
    const until = seconds(BigInt(Date.now() + 1) * 1_000_000n);
    const path = `/events?since=0&until=${until}`;
    await new Promise<void>((resolve, reject) => {
      get({ socketPath: daemon.socket, path }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => {
          events.push(...text.split('\n').filter(Boolean).map(parse));
          resolve();
        });
      }).on('error', reject);
    });
    return events;
  };
  const textOf = ({ timeNano, Action, Actor }: WireEvent) => `${timeNano} ${Action} ${Actor.ID}`;

  test('a container that ended while no daemon ran died at the time it ended', async () => {
    const script = 'while [ ! -e /end ]; do sleep 0.02; done; exit 9';
    await docker.run('run', '-d', '--name', 'unseen', 'busybox', 'sh', '-c', script);
    const pid = Number(await docker.run('inspect', '-f', '{{.State.Pid}}', 'unseen'));
    const last = (await history()).at(-1);
    await daemon.kill();
    // The kernel stamps files by a coarser clock than Date.now(), some ms behind it; the time of death is such a stamp.
    const end = openSync(`/proc/${pid}/root/end`, 'w');
    const told = BigInt(Math.round(fstatSync(end).mtimeMs)) * 1_000_000n;
    closeSync(end);
    await ended(pid);
    const over = BigInt(Date.now() + 1) * 1_000_000n;
    await daemon.start();
    const die = (await history()).find(({ Action }) => Action === 'die');
    assert.equal(die?.Actor.Attributes.exitCode, '9');
    assert.ok(die.timeNano > (last?.timeNano ?? 0n));
    assert.ok(die.timeNano >= told && die.timeNano <= over, `${told} ${die.timeNano} ${over}`);
    await docker.run('rm', 'unseen');
  });

  test(`a client that reads on from its last event misses none over ${kills} deaths`, async () => {
    const fast = ['--health-interval', '100ms', '--health-retries', '1', '--health-cmd', 'test ! -e /sick'];
    for (const name of ['one', 'two'])
      await docker.run('run', '-d', '--name', name, ...fast, 'busybox', 'sleep', '600');
    await docker.run('run', '-d', '--name', 'again', '--restart', 'always', 'busybox', 'sh', '-c', 'sleep 0.3');

    const seen: WireEvent[] = [];
    for (let death = 0; death < kills; death++) {
      const wanted = 25;
      let left = wanted;
      let enough = () => {};
      const full = new Promise<void>((resolve) => {
        enough = resolve;
      });
      const reader = follow(daemon.socket, (seen.at(-1)?.timeNano ?? -1n) + 1n, (event) => {
        seen.push(event);
        if (--left === 0) enough();
      });
      const work = churn(docker);
      await full;
      await daemon.kill();
      await Promise.all([reader.ended, work.stop()]);
      await daemon.start();
    }
    await docker.run('rm', '-f', 'again');
    const all = await history();
    const reader = follow(daemon.socket, (seen.at(-1)?.timeNano ?? -1n) + 1n, (event) => {
      seen.push(event);
      if (event.timeNano >= (all.at(-1)?.timeNano ?? 0n)) reader.stop();
    });
    await reader.ended;

    assert.deepEqual(
      all.map(({ timeNano }) => timeNano),
      [...new Set(all.map(({ timeNano }) => timeNano))].sort((a, b) => (a < b ? -1 : 1)),
    );
    const known = new Set(all.map(textOf));
    const first = seen[0]?.timeNano ?? 0n;
    const end = all.at(-1)?.timeNano ?? 0n;
    assert.deepEqual(seen.filter((event) => event.timeNano <= end && !known.has(textOf(event))).map(textOf), []);
    const got = new Set(seen.map(textOf));
    assert.deepEqual(all.filter((event) => event.timeNano >= first && !got.has(textOf(event))).map(textOf), []);
    for (const id of new Set(all.map(({ Actor }) => Actor.ID))) {
      alternates(
        id,
        all.filter(({ Actor }) => Actor.ID === id),
      );
    }
  });
});

/** Starts and ends of a container take turns, and each report of its health is news. */
function alternates(id: string, events: readonly WireEvent[]): void {
  let up = false;
  let health = '';
  for (const { Action, Type } of events) {
    if (Type !== 'container') continue;
    if (Action === 'start' || Action === 'die') {
      assert.equal(up, Action === 'die', `${Action} out of turn: ${id} ${events.map((event) => event.Action)}`);
      up = Action === 'start';
      health = '';
    }
    if (Action.startsWith('health_status')) {
      assert.ok(up && Action !== health, `${Action} out of turn: ${id}`);
      health = Action;
    }
    if (Action === 'destroy') assert.ok(!up, `${id} was destroyed while it ran`);
  }
}

/** Runs, stops, and makes sick and well until stopped; what the daemon's death interrupts fails and is no matter. */
function churn(docker: Docker) {
  let on = true;
  const repeat = async (step: (round: number) => Promise<unknown>) => {
    for (let round = 0; on; round++) await step(round);
  };
  const work = Promise.all([
    repeat((round) => docker.try(['run', '--rm', 'busybox', 'sh', '-c', `exit ${round % 5}`])),
    repeat(() => docker.try(['restart', '-t', '0', 'one'])),
    repeat((round) => docker.try(['exec', 'two', ...(round % 2 ? ['rm', '-f'] : ['touch']), '/sick'])),
  ]);
  return {
    async stop() {
      on = false;
      await work;
    },
  };
}

/** Resolves when process `pid`, no child of ours, has ended. */
async function ended(pid: number): Promise<void> {
  const { identifyProcess, processEnd } = await import('#host');
  const process = await identifyProcess(pid);
  if (process) await processEnd(process);
}
