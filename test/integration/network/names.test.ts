import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';
import { importGlibc } from './glibc-image.ts';
import { Upstream } from './upstream.ts';

type Kind = 'A' | 'AAAA' | 'PTR';

const many = Array.from({ length: 60 }, (_, index) => `192.0.2.${index + 1}`);
const zone = {
  'outside.test': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'www.search.test': { A: ['192.0.2.2'] },
  'many.test': { A: many },
};

/** Found only with the search domain. */
const searched = 'www';

/** Fixed addresses, so that the cases can name them. */
const db = { A: '203.0.113.10', AAAA: '2001:db8:7::10' };
const twin = { A: '203.0.113.11', AAAA: '2001:db8:7::11' };
const four = '198.51.100.140';

/** What is asked, and the addresses (or names) expected; empty for none. */
const cases: readonly (readonly [what: string, kind: Kind, name: string, expected: readonly string[]])[] = [
  ['a container by its name', 'A', 'db', [db.A]],
  ['a container by an alias', 'A', 'store', [db.A, twin.A]],
  ['a container by its name, in IPv6', 'AAAA', 'db', [db.AAAA]],
  ['an alias of two containers, in IPv6', 'AAAA', 'store', [db.AAAA, twin.AAAA]],
  ['upper case', 'A', 'DB', [db.A]],
  ['name and network', 'A', 'db.dns-shop', [db.A]],
  ['a name with a dot in it', 'A', 'dotted.name', [twin.A]],
  ['a link', 'A', 'linked', [db.A]],
  ['a container of the second network', 'A', 'four', [four]],
  ['no IPv6 address where there is none', 'AAAA', 'four', []],
  ['the name of an IPv4 address', 'PTR', db.A, ['db.dns-shop']],
  ['the name of an IPv6 address', 'PTR', db.AAAA, ['db.dns-shop']],
  ['a name of the world', 'A', 'outside.test', ['192.0.2.1']],
  ['a name of the world, in IPv6', 'AAAA', 'outside.test', ['2001:db8::1']],
  ['a name of the search domain', 'A', searched, ['192.0.2.2']],
  ['a container of a network that the asker is not on', 'A', 'spy', []],
  ['a name that nobody has', 'A', 'nobody.test', []],
];

/** How a resolver is asked, and its answers. */
const resolvers: Readonly<
  Record<
    string,
    { image: string; ask: (kind: Kind, name: string) => string[]; read: (text: string, kind: Kind) => string[] }
  >
> = {
  busybox: {
    image: 'busybox',
    // It puts the search domain behind every name that does not end with a dot.
    ask: (kind, name) =>
      kind === 'PTR'
        ? ['nslookup', name]
        : ['nslookup', `-type=${kind.toLowerCase()}`, name === searched ? name : `${name}.`],
    read: (text, kind) => {
      const [, answer = ''] = text.split(/\n\n(.*)/s);
      if (kind === 'PTR') return [...answer.matchAll(/name = (\S+)/g)].map((match) => match[1] ?? '');
      return [...answer.matchAll(/^Address: (\S+)$/gm)].map((match) => match[1] ?? '');
    },
  },
  glibc: {
    image: 'glibc',
    ask: (kind, name) => ['getent', kind === 'A' ? 'ahostsv4' : kind === 'AAAA' ? 'ahostsv6' : 'hosts', name],
    read: (text, kind) => {
      const column = kind === 'PTR' ? 1 : 0;
      const found = text.split('\n').map((line) => line.split(/\s+/)[column] ?? '');
      // Asked for IPv6, it gives IPv4 addresses in the mapped form where there are no others.
      return [...new Set(found)].filter((item) => item !== '' && !item.startsWith('::ffff:'));
    },
  },
};

describe('names inside containers', () => {
  const { daemon, docker } = daemonForTests();
  let upstream: Upstream;

  before(async () => {
    upstream = await Upstream.start(zone);
    importGlibc(daemon.host);
    await docker.run(
      'network',
      'create',
      '--ipv6',
      '--subnet',
      '203.0.113.0/24',
      '--subnet',
      '2001:db8:7::/64',
      'dns-shop',
    );
    await docker.run('network', 'create', '--subnet', '198.51.100.128/25', 'dns-four');
    await docker.run('network', 'create', 'dns-other');
    const start = (name: string, network: string, ...options: string[]) =>
      docker.run('run', '-d', '--name', name, '--network', network, ...options, 'busybox', 'sleep', '3600');
    await start('db', 'dns-shop', '--ip', db.A, '--ip6', db.AAAA, '--network-alias', 'store');
    await start(
      'two',
      'dns-shop',
      '--ip',
      twin.A,
      '--ip6',
      twin.AAAA,
      '--network-alias',
      'store',
      '--network-alias',
      'dotted.name',
    );
    await start('four', 'dns-four', '--ip', four);
    await start('spy', 'dns-other');
    const dns = ['--dns', upstream.address, '--dns-search', 'search.test', '--link', 'db:linked'];
    for (const [name, { image }] of Object.entries(resolvers)) {
      await docker.run('run', '-d', '--name', name, '--network', 'dns-shop', ...dns, image, 'sleep', '3600');
      await docker.run('network', 'connect', 'dns-four', name);
    }
  });
  after(async () => {
    upstream?.[Symbol.dispose]();
  });

  for (const [resolver, { ask, read }] of Object.entries(resolvers)) {
    const resolve = async (kind: Kind, name: string) => {
      const { stdout } = await docker.try(['exec', resolver, ...ask(kind, name)]);
      return read(stdout, kind).sort();
    };
    describe(resolver, () => {
      for (const [what, kind, name, expected] of cases) {
        test(`finds ${what} (${kind} ${name})`, async () => {
          assert.deepEqual(await resolve(kind, name), [...expected].sort());
        });
      }

      test('finds a container by its short id', async () => {
        const id = await docker.run('inspect', '-f', '{{slice .Id 0 12}}', 'db');
        assert.deepEqual(await resolve('A', id), [db.A]);
      });

      test('finds a renamed container by its new name alone, and a stopped one not at all', async () => {
        await docker.run('rename', 'two', 'renamed');
        assert.deepEqual(await resolve('A', 'renamed'), [twin.A]);
        assert.deepEqual(await resolve('A', 'two'), []);
        await docker.run('rename', 'renamed', 'two');
        await docker.run('stop', '-t', '0', 'four');
        assert.deepEqual(await resolve('A', 'four'), []);
        await docker.run('start', 'four');
        assert.deepEqual(await resolve('A', 'four'), [four]);
      });
    });
  }

  test('glibc finds an answer that needs TCP', async () => {
    const { stdout } = await docker.try(['exec', 'glibc', 'getent', 'ahostsv4', 'many.test']);
    assert.equal(
      new Set(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(' ')[0]),
      ).size,
      many.length,
    );
  });

  test('names of containers never left the host', () => {
    const ours = ['db', 'store', 'linked', 'dotted.name', 'db.dns-shop'];
    assert.deepEqual(
      upstream.asked.filter((name) => ours.includes(name)),
      [],
    );
  });
});
