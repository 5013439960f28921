import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';
import { importGlibc } from './glibc-image.ts';
import { Machine } from './machine.ts';
import { probesForTests } from './probe.ts';

/** Asks over and over while `body` runs, and once more after it; gives how often it asked and what was not answered. */
async function asking(ask: () => Promise<string>, body: () => Promise<void>) {
  let running = true;
  const failed: number[] = [];
  const turns = (async () => {
    let count = 0;
    for (let last = false; !last; count++) {
      last = !running;
      if ((await ask()) === '') failed.push(count);
    }
    return count;
  })();
  try {
    await body();
  } finally {
    running = false;
  }
  return { count: await turns, failed };
}

describe('while the daemon is killed and starts again', () => {
  const probe = probesForTests();
  const { daemon, docker } = daemonForTests();
  let machine: Machine;

  before(async () => {
    importGlibc(daemon.host);
    machine = new Machine('berth-endure');
    await docker.run('network', 'create', 'endure');
    const start = (name: string, image: string, ...options: string[]) =>
      docker.run('run', '-d', '--name', name, '--network', 'endure', ...options, image, 'sleep', '3600');
    await start('server', 'busybox', '-p', '18410:8000/tcp');
    await start('client', 'busybox');
    await start('glibc', 'glibc');
  });
  after(() => machine?.[Symbol.dispose]());

  test('no request fails, through a published port or between containers', async () => {
    const netns = async (name: string) => `/proc/${await docker.run('inspect', '-f', '{{.State.Pid}}', name)}/ns/net`;
    await probe(await netns('server')).serve(8000);
    const address = await docker.run('inspect', '-f', '{{.NetworkSettings.Networks.endure.IPAddress}}', 'server');
    const [lan, client] = [probe(machine.netns), probe(await netns('client'))];
    const restart = async () => {
      for (let round = 0; round < 3; round++) {
        await daemon.kill();
        await daemon.start();
      }
    };
    const outside = () => lan.ask('tcp', machine.host.ipv4, 18_410);
    const beside = () => client.ask('tcp', address, 8000);
    let inner: Awaited<ReturnType<typeof asking>> | undefined;
    const outer = await asking(outside, async () => {
      inner = await asking(beside, restart);
    });
    assert.deepEqual({ published: outer.failed, beside: inner?.failed }, { published: [], beside: [] });
  });

  for (const [image, command] of [
    ['client', ['nslookup', '-type=a', '-retry=60', '-timeout=60', 'server.']],
    ['glibc', ['getent', 'ahostsv4', 'server']],
  ] as const) {
    test(`a name that is asked for while no daemon runs is found when it is back (${image})`, async () => {
      const pid = await docker.run('inspect', '-f', '{{.State.Pid}}', image);
      await daemon.kill();
      const asker = spawn('nsenter', ['-t', pid, '-n', '-m', '-r', '-w', ...command], {
        stdio: ['ignore', 'pipe', 'inherit'],
        // However long a busy machine takes to start a daemon: it is asked again meanwhile.
        env: { PATH: '/bin', RES_OPTIONS: 'timeout:10 attempts:5' },
      });
      let said = '';
      asker.stdout.on('data', (chunk) => {
        said += chunk;
      });
      const ended = once(asker, 'close');
      await daemon.start();
      await ended;
      const address = await docker.run('inspect', '-f', '{{.NetworkSettings.Networks.endure.IPAddress}}', 'server');
      assert.ok(said.includes(address), said);
    });
  }
});
