import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';
import { Machine } from './machine.ts';
import { Probe, probesForTests } from './probe.ts';

describe('traffic while things change', () => {
  const probe = probesForTests();
  const { daemon, docker } = daemonForTests();
  let machine: Machine;
  let lan: Probe;

  before(() => {
    machine = new Machine('berth-lan');
    lan = probe(machine.netns);
  });
  after(() => machine?.[Symbol.dispose]());

  /** A container whose port 8000 answers, published at `port`. */
  const serve = async (name: string, port: number): Promise<Probe> => {
    const ports = ['-p', `${port}:8000/tcp`, '-p', `${port}:8000/udp`];
    await docker.run('run', '-d', '--rm', '--name', name, ...ports, 'busybox', 'sleep', '3600');
    const probe = new Probe(`/proc/${await docker.run('inspect', '-f', '{{.State.Pid}}', name)}/ns/net`);
    await probe.serve(8000);
    return probe;
  };

  /** Asks until somebody answers: right after a link came up the kernel may still be checking its own IPv6 address. */
  const reach = async (protocol: 'tcp' | 'udp', host: string, port: number): Promise<string> => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const said = await lan.ask(protocol, host, port);
      if (said !== '') return said;
    }
    return '';
  };

  test('published ports answer while no daemon runs, and after its restart', async () => {
    await using _server = await serve('steady', 18_310);
    const ask = async () => {
      for (const protocol of ['tcp', 'udp'] as const) {
        assert.match(await reach(protocol, machine.host.ipv4, 18_310), /198\.51\.100\.1$/, protocol);
      }
    };
    await ask();
    await daemon.kill();
    await ask();
    await daemon.start();
    await ask();
    await docker.run('rm', '-f', 'steady');
  });

  test('a UDP client that asks on from one port reaches the next container behind a published port', async () => {
    const client = createSocket('udp4');
    const heard = async () => {
      const again = setInterval(() => client.send('?', 18_311, machine.host.ipv4), 50);
      try {
        const [message] = (await once(client, 'message', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
        return String(message);
      } finally {
        clearInterval(again);
      }
    };
    for (const name of ['before', 'behind']) {
      const server = await serve(name, 18_311);
      assert.notEqual(await heard(), '');
      await server[Symbol.asyncDispose]();
      await docker.run('rm', '-f', name);
    }
    client.close();
  });

  test('a running container moves between networks, and its published port follows', async () => {
    await using _server = await serve('mover', 18_312);
    await docker.run('network', 'create', '--ipv6', 'move-to');
    await docker.run('network', 'connect', 'move-to', 'mover');
    await docker.run('network', 'disconnect', 'bridge', 'mover');
    for (const family of ['ipv4', 'ipv6'] as const) {
      for (const protocol of ['tcp', 'udp'] as const) {
        assert.equal(
          (await reach(protocol, machine.host[family], 18_312)).replace('::ffff:', ''),
          machine.addresses[family],
          `${family} ${protocol}`,
        );
      }
    }
    await docker.run('rm', '-f', 'mover');
    await docker.run('network', 'rm', 'move-to');
  });
});
