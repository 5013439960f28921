import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { newId } from '#base';
import type { NetworkService, Sandbox, TakeOver } from './index.ts';
import { places, playHost, sandboxRequest } from './testing/played-host.ts';

const played = playHost('takeover_test');
const { namespaces, firewall, sockets, lan } = played;
const { host } = places;
const port = { tcp: 18_080, udp: 18_090 } as const;
let service: NetworkService;

before(() => played.up());
after(() => played.down());

/** A server in a sandbox that answers whatever is said to it with its name, on TCP and UDP port 80 of both families. */
class NamedServer implements AsyncDisposable {
  readonly #ends: (() => void)[] = [];

  constructor(name: string, netns: string) {
    for (const address of ['0.0.0.0', '::']) {
      const bind = (protocol: 'tcp' | 'udp') =>
        namespaces.enter(netns, () => sockets.bind({ protocol, address, port: 80 })).fd;
      const open = new Set<Socket>();
      const tcp = createServer((client) => {
        open.add(client);
        client.on('data', () => client.write(name)).on('error', () => undefined);
      }).listen({ fd: bind('tcp') });
      const udp = createSocket(address === '::' ? 'udp6' : 'udp4');
      udp.on('message', (_, from) => udp.send(name, from.port, from.address)).bind({ fd: bind('udp') });
      this.#ends.push(
        () => tcp.close(),
        () => udp.close(),
        () => open.forEach((client) => void client.destroy()),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
  }
}

/** A client that keeps one socket: a connection, or the port that its datagrams come from. */
class Client implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(netns: string | undefined, protocol: 'tcp' | 'udp', address: string) {
    const script = `
      const [protocol, host, port] = process.argv.slice(1);
      if (protocol === 'tcp') {
        const socket = require('node:net').connect(Number(port), host);
        process.stdin.pipe(socket).pipe(process.stdout);
        socket.on('error', (error) => console.log(error.code)).on('close', () => process.exit());
      } else {
        const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
        process.stdin.on('data', (said) => socket.send(said, Number(port), host)).on('end', () => process.exit());
        socket.on('message', (said) => process.stdout.write(said)).on('error', (error) => console.log(error.code));
      }`;
    const start = () => spawn(process.execPath, ['-e', script, protocol, address, String(port[protocol])]);
    this.#child = netns === undefined ? start() : namespaces.enter(netns, start);
  }

  /** Who answers. A datagram that nobody answers within two seconds is `silence`. */
  async ask(): Promise<string> {
    const { stdin, stdout } = this.#child;
    if (stdin === null || stdout === null) throw new Error('the client has no pipes');
    const answer = once(stdout, 'data', { signal: AbortSignal.timeout(2000) });
    stdin.write('?');
    return answer.then(
      ([said]) => String(said),
      () => 'silence',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}

/** Who answers a client that has just come. */
async function askOnce(netns: string | undefined, protocol: 'tcp' | 'udp', address: string): Promise<string> {
  await using client = new Client(netns, protocol, address);
  // Awaited here: the client lives until its answer has come.
  return await client.ask();
}

const request = (name: string, network: string, standby = false) =>
  sandboxRequest(
    { id: newId(), name, hostname: name },
    {
      endpoints: [{ network }],
      ports: [
        { protocol: 'tcp', containerPort: 80, hostPort: port.tcp },
        { protocol: 'udp', containerPort: 80, hostPort: port.udp },
      ],
      standby,
    },
  );

interface Pair {
  readonly old: { readonly id: string; readonly sandbox: Sandbox };
  readonly heir: { readonly id: string; readonly sandbox: Sandbox };
  /** Lets the heir take over. */
  takeOver(options?: Partial<TakeOver>): Promise<void>;
}

/** Two sandboxes with servers in them: one that serves, one that stands by. */
async function withPair(network: string, body: (pair: Pair) => Promise<void>): Promise<void> {
  const [first, second] = [request('old', network), request('new', network, true)];
  try {
    const [old, heir] = [await service.open(first), await service.open(second)];
    await using _old = new NamedServer('old', old.netnsPath);
    await using _heir = new NamedServer('new', heir.netnsPath);
    await body({
      old: { id: first.owner.id, sandbox: old },
      heir: { id: second.owner.id, sandbox: heir },
      takeOver: (options = {}) =>
        service.takeOver(second.owner.id, {
          from: first.owner.id,
          names: { owner: 'old', from: 'new' },
          record: () => undefined,
          unrecord: () => undefined,
          ...options,
        }),
    });
  } finally {
    await service.close(first.owner.id);
    await service.close(second.owner.id);
  }
}

/** Clients of every path to a published port: from another machine and from the host, translated and in user space. */
const paths = [
  ['from outside by IPv4', lan, host.ipv4],
  ['from outside by IPv6', lan, host.ipv6],
  ['on the loopback by IPv4', undefined, '127.0.0.1'],
  ['on the loopback by IPv6', undefined, '::1'],
] as const;

for (const mode of ['open', 'host'] as const) {
  describe(`a sandbox takes over published ports, firewall ${mode}`, () => {
    before(async () => {
      service = played.service({ firewallMode: mode });
      await service.reconcile(new Set());
      await service.create({ name: 'dual', enableIPv6: true });
      await service.create({ name: 'single' });
    });
    after(async () => {
      await service.remove('dual');
      await service.remove('single');
      await service.shutdown();
      assert.deepEqual(await firewall.tables(), []);
    });

    for (const network of ['dual', 'single']) {
      for (const [path, netns, address] of paths) {
        test(`${path}, network ${network}: open connections stay, new ones and datagrams go to the new one`, async () => {
          await withPair(network, async ({ takeOver }) => {
            await using kept = new Client(netns, 'tcp', address);
            await using sender = new Client(netns, 'udp', address);
            assert.deepEqual([await kept.ask(), await sender.ask()], ['old', 'old']);
            await takeOver();
            assert.equal(await askOnce(netns, 'tcp', address), 'new');
            assert.equal(await kept.ask(), 'old');
            assert.deepEqual([await sender.ask(), await askOnce(netns, 'udp', address)], ['new', 'new']);
          });
        });
      }
    }

    test('what the host refuses is refused before and after', async () => {
      const rules = 'type filter hook input priority filter; policy accept;\n tcp dport 18080 drop';
      const refusing = mode === 'host' ? 'silence' : 'new';
      await withPair('dual', async ({ takeOver }) => {
        await firewall.load(`table inet host {\n chain input {\n ${rules}\n }\n}`);
        try {
          assert.equal(await askOnce(lan, 'tcp', host.ipv4), mode === 'host' ? 'silence' : 'old');
          await takeOver();
          for (const address of [host.ipv4, host.ipv6]) assert.equal(await askOnce(lan, 'tcp', address), refusing);
        } finally {
          await firewall.load('delete table inet host');
        }
      });
    });
  });
}

describe('a take-over that cannot be', () => {
  before(async () => {
    service = played.service();
    await service.reconcile(new Set());
    await service.create({ name: 'dual', enableIPv6: true });
  });
  after(async () => {
    await service.remove('dual');
    await service.shutdown();
  });

  test('leaves ports and names where they are when the record fails', async () => {
    await withPair('dual', async ({ old, heir, takeOver }) => {
      const record = () => {
        throw new Error('the disk is full');
      };
      await assert.rejects(takeOver({ record }), /the disk is full/);
      for (const [path, netns, address] of paths) assert.equal(await askOnce(netns, 'tcp', address), 'old', path);
      assert.equal((await service.find(old.id))?.ports.length, 4);
      assert.deepEqual((await service.find(heir.id))?.ports, []);
      await takeOver();
      assert.equal(await askOnce(lan, 'tcp', host.ipv6), 'new');
      assert.deepEqual((await service.find(old.id))?.ports, []);
      await assert.rejects(takeOver(), /does not stand by to take over/);
    });
  });

  test('is undone in the record when the kernel refuses the rules', async (context) => {
    await withPair('dual', async ({ takeOver }) => {
      const load = context.mock.method(firewall, 'load', async () => {
        throw new Error('no room for rules');
      });
      let recorded = 0;
      const count = (by: number) => () => {
        recorded += by;
      };
      await assert.rejects(takeOver({ record: count(1), unrecord: count(-1) }), /no room for rules/);
      load.mock.restore();
      assert.equal(recorded, 0);
      for (const [path, netns, address] of paths) assert.equal(await askOnce(netns, 'tcp', address), 'old', path);
    });
  });

  test('the next daemon goes on with whoever took over, and keeps open connections', async () => {
    await withPair('dual', async ({ old, heir, takeOver }) => {
      await using kept = new Client(lan, 'tcp', host.ipv4);
      assert.equal(await kept.ask(), 'old');
      await takeOver();
      await service.shutdown();
      service = played.service();
      await service.reconcile(new Set([old.id, heir.id]));
      for (const [path, netns, address] of paths) assert.equal(await askOnce(netns, 'tcp', address), 'new', path);
      assert.equal(await askOnce(lan, 'udp', host.ipv6), 'new');
      assert.equal(await kept.ask(), 'old');
    });
  });
});
