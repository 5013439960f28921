import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';

// Small by default; BERTH_SCALE_NETWORKS=1000 BERTH_SCALE_CONTAINERS=200 BERTH_SCALE_STORM=500 is the full measure.
const networkCount = Number(process.env.BERTH_SCALE_NETWORKS ?? 30);
const containerCount = Number(process.env.BERTH_SCALE_CONTAINERS ?? 8);
const stormSteps = Number(process.env.BERTH_SCALE_STORM ?? 40);
const seed = Number(process.env.BERTH_SCALE_SEED ?? 1);

/** Numbers below `limit`, the same ones for the same seed (a linear congruential generator). */
function dice(start: number): (limit: number) => number {
  let state = start;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const networks = ['s0', 's1', 's2', 's3'];
const containers = ['c0', 'c1', 'c2', 'c3', 'c4'];

/** Arguments of the docker CLI. Many such changes are refused: what is not there cannot go. */
function randomChange(roll: (limit: number) => number): string[] {
  const network = networks[roll(networks.length)] ?? '';
  const container = containers[roll(containers.length)] ?? '';
  const create = ['network', 'create', ...(roll(2) === 0 ? [] : ['--ipv6']), network];
  const ports = ['-P', '--expose', '80'];
  const run = ['run', '-d', ...ports, '--name', container, '--network', network, 'busybox', 'sleep', '600'];
  const connect = ['network', 'connect', network, container];
  const disconnect = ['network', 'disconnect', network, container];
  const changes = [create, create, create, run, run, run, connect, connect, disconnect, ['rm', '-f', container]];
  return changes[roll(changes.length)] ?? create;
}

describe('many networks and containers', () => {
  const { daemon, docker } = daemonForTests();
  let bridge = '';
  const api = (method: string, path: string, body?: object) => {
    const data = body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
    const args = ['-s', '--unix-socket', daemon.socket, '-X', method, ...data, `http://berth${path}`];
    return execFileSync('curl', args, { encoding: 'utf8' });
  };

  /** What of this daemon the host has: bridges and veth ends of its link group, namespaces, elements of its table. */
  const left = () => {
    const all = JSON.parse(execFileSync('ip', ['-json', 'link'], { encoding: 'utf8' })) as {
      ifname: string;
      group: string;
    }[];
    const group = all.find((link) => link.ifname === bridge)?.group;
    const links = all.filter((link) => link.group === group).map((link) => link.ifname);
    const table = `berth_${bridge.slice('berth'.length)}`;
    const elements = execFileSync('nft', ['list', 'table', 'inet', table], { encoding: 'utf8' });
    return {
      links: links.filter((link) => !link.startsWith('veth')).length,
      ends: links.length,
      namespaces: readdirSync(join(daemon.execRoot, 'netns')).length,
      networksInRules: elements.match(/"br-/g)?.length ?? 0,
      portsInRules: elements.match(/(tcp|udp) \. \d+ :/g)?.length ?? 0,
    };
  };

  before(async () => {
    bridge = await docker.run(
      'network',
      'inspect',
      '-f',
      '{{index .Options "com.docker.network.bridge.name"}}',
      'bridge',
    );
  });

  test(`${networkCount} networks are made, have subnets of their own, and go`, async () => {
    const started = performance.now();
    for (let index = 0; index < networkCount; index++) {
      assert.match(api('POST', '/networks/create', { Name: `many-${index}` }), /"Id"/);
    }
    const made = performance.now();
    const networks = JSON.parse(api('GET', '/networks')) as { Name: string; IPAM: { Config: { Subnet: string }[] } }[];
    const subnets = networks.flatMap((network) => network.IPAM.Config?.map((pool) => pool.Subnet) ?? []);
    assert.equal(new Set(subnets).size, networkCount + 1);
    const removing = performance.now();
    for (let index = 0; index < networkCount; index++) assert.equal(api('DELETE', `/networks/many-${index}`), '');
    const each = (from: number, to: number) => ((to - from) / networkCount).toFixed(1);
    console.log(`# a network: made in ${each(started, made)} ms, removed in ${each(removing, performance.now())} ms`);
    assert.equal(left().networksInRules, 0);
  });

  test(`${containerCount} containers of one network find each other by name`, async () => {
    await docker.run('network', 'create', 'crowd');
    const names = Array.from({ length: containerCount }, (_, index) => `crowd-${index}`);
    for (const name of names)
      await docker.run('run', '-d', '--name', name, '--network', 'crowd', 'busybox', 'sleep', '3600');
    const network = JSON.parse(api('GET', '/networks/crowd')) as {
      Containers: Record<string, { Name: string; IPv4Address: string }>;
    };
    const addresses = Object.values(network.Containers).map(({ Name, IPv4Address }) => [
      Name,
      IPv4Address.split('/')[0],
    ]);
    assert.equal(new Set(addresses.map(([, address]) => address)).size, containerCount);
    const script = names.map((name) => `nslookup -type=a ${name}. | tail -n +3`).join(';');
    const askers = [names[0], names.at(-1)] as string[];
    for (const asker of askers) {
      const said = await docker.run('exec', asker, 'sh', '-c', script);
      for (const [name, address] of addresses) assert.ok(said.includes(`${address}`), `${asker} finds ${name}`);
    }
    await docker.run('rm', '-f', ...names);
    await docker.run('network', 'rm', 'crowd');
  });

  test(`${stormSteps} changes in random order, with deaths of the daemon, leave nothing behind`, async () => {
    const roll = dice(seed);
    // What the tests before it left to the background is done then.
    await daemon.stop();
    await daemon.start();
    const before = left();
    for (let step = 0; step < stormSteps; step++) {
      const change = randomChange(roll);
      const running = docker.try(change);
      if (roll(10) === 0) {
        await daemon.kill();
        await running;
        await daemon.start();
      } else {
        await Promise.all([running, docker.try(['network', 'rm', `s${roll(4)}`])]);
      }
    }
    for (const container of containers) await docker.try(['rm', '-f', container]);
    for (const network of networks) await docker.try(['network', 'rm', network]);
    await daemon.stop();
    await daemon.start();
    const now = left();
    assert.deepEqual({ ...now, ends: 0, namespaces: 0 }, { ...before, ends: 0, namespaces: 0 });
    // Beside these there is only the pool of sandboxes that wait.
    assert.ok(now.namespaces <= 8, `${now.namespaces} namespaces`);
    assert.equal(now.ends - now.links <= now.namespaces, true);
    assert.equal(await docker.run('ps', '-aq'), '');
  });
});
