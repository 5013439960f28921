import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId } from '#base';
import type { NetworkService, Sandbox, SandboxRequest } from './index.ts';
import { places, playHost, sandboxRequest } from './testing/played-host.ts';

const played = playHost('gateway_test');
const { links, firewall, lan, ask, serving } = played;
const { host } = places;
const option = (family: 4 | 6, mode: string) => ({ [`com.docker.network.bridge.gateway_mode_ipv${family}`]: mode });
const subnets = { ipv4: '10.77.0.0/24', ipv6: 'fd77::/64' } as const;
let service: NetworkService;

before(async () => {
  await played.up();
  service = played.service();
  await service.reconcile(new Set());
  // The machine behind the link knows the way to the containers' network.
  for (const [version, destination] of Object.entries(subnets)) {
    const gateway = version === 'ipv4' ? host.ipv4 : host.ipv6;
    const family = version === 'ipv4' ? 4 : 6;
    await links.apply([{ op: 'add-route', name: 'wire', destination, gateway, family }], lan);
  }
});
after(async () => {
  await service.shutdown();
  assert.deepEqual(await firewall.tables(), []);
  await played.down();
});

const port = (containerPort: number, hostPort: number) => ({ protocol: 'tcp', containerPort, hostPort }) as const;

/** A network with these options, a sandbox on it that publishes two ports, and a server on port 80 of both families. */
async function withServer(
  options: Record<string, string>,
  ports: SandboxRequest['ports'],
  body: (sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const pools = Object.values(subnets).map((subnet) => ({ subnet }));
  await service.create({ name: 'net', enableIPv6: true, ipam: { pools }, options });
  const id = newId();
  const wanted = sandboxRequest({ id, name: 'web', hostname: 'web' }, { endpoints: [{ network: 'net' }], ports });
  try {
    const sandbox = await service.open(wanted);
    const onBoth = () => serving(sandbox.netnsPath, 80, () => body(sandbox), '::');
    await serving(sandbox.netnsPath, 80, onBoth);
  } finally {
    await service.close(id);
    await service.remove('net');
  }
}

const addresses = ({ endpoints: [endpoint] }: Sandbox) =>
  [endpoint?.ipv4?.address ?? '', endpoint?.ipv6?.address ?? ''] as const;

describe('gateway modes', () => {
  test('routed: published ports answer at the containers address, and nothing is translated', async () => {
    const routed = { ...option(4, 'routed'), ...option(6, 'routed') };
    await withServer(routed, [port(80, 18_080), port(80, 18_081), port(81, 18_082)], async (web) => {
      assert.deepEqual(
        web.ports.slice(0, 2).map(({ hostAddress, hostPort }) => [hostAddress, hostPort]),
        [
          ['0.0.0.0', 0],
          ['::', 0],
        ],
      );
      for (const address of addresses(web)) assert.match(await ask(lan, address, 80), /^hello/);
      // Port 81 is published, but nobody listens there; 82 is not published.
      for (const address of addresses(web)) assert.match(await ask(lan, address, 81), /ECONNREFUSED/);
      for (const address of addresses(web)) assert.match(await ask(lan, address, 82), /unreachable/);
      assert.match(await ask(lan, host.ipv4, 18_080), /ECONNREFUSED/);
      await serving(lan, 7001, async () => {
        assert.equal(await ask(web.netnsPath, places.lan.ipv4, 7001), `hello ${addresses(web)[0]}`);
      });
    });
  });

  test('each family has a mode of its own', async () => {
    await withServer({ ...option(4, 'routed') }, [port(80, 18_080)], async (web) => {
      assert.deepEqual(
        web.ports.map(({ hostAddress, hostPort }) => [hostAddress, hostPort]),
        [
          ['0.0.0.0', 0],
          ['::', 18_080],
        ],
      );
      const [ipv4, ipv6] = addresses(web);
      assert.match(await ask(lan, ipv4, 80), /^hello/);
      assert.match(await ask(lan, ipv6, 80), /unreachable/);
      assert.match(await ask(lan, host.ipv6, 18_080), /^hello/);
    });
  });

  test('nat-unprotected: every port is reached by who has a route, and published ones at the host as well', async () => {
    const open = { ...option(4, 'nat-unprotected'), ...option(6, 'nat-unprotected') };
    await withServer(open, [port(80, 18_080)], async (web) => {
      for (const address of addresses(web)) {
        assert.match(await ask(lan, address, 80), /^hello/);
        assert.match(await ask(lan, address, 82), /ECONNREFUSED/);
      }
      assert.match(await ask(lan, host.ipv4, 18_080), /^hello/);
      await serving(lan, 7001, async () => {
        assert.equal(await ask(web.netnsPath, places.lan.ipv4, 7001), `hello ${host.ipv4}`);
      });
    });
  });

  test('nat: who has a route reaches nothing but what is published', async () => {
    await withServer({}, [port(80, 18_080)], async (web) => {
      for (const address of addresses(web)) assert.match(await ask(lan, address, 80), /unreachable/);
      assert.match(await ask(lan, host.ipv4, 18_080), /^hello/);
    });
  });

  test('a routed port goes on after a restart of the daemon', async () => {
    await withServer(option(4, 'routed'), [port(80, 18_080)], async (web) => {
      await service.shutdown();
      service = played.service();
      const alive = await service.endpoints((await service.get('net')).id);
      await service.reconcile(new Set(alive.map(({ owner }) => owner.id)));
      assert.match(await ask(lan, addresses(web)[0], 80), /^hello/);
    });
  });
});
