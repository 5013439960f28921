import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { daemonForTests } from '#testkit';
import { probesForTests } from './probe.ts';

const run = (command: string) => execFileSync('sh', ['-ec', command], { encoding: 'utf8' });
const launcher = fileURLToPath(new URL('../../../bin/berthd', import.meta.url));
/** Namespaces that play a host with a daemon of its own, and a machine beside it. */
const [host, lan] = ['berth-flush-host', 'berth-flush-lan'];
const address = '198.51.100.65';

describe('on a host whose rules somebody flushes', () => {
  const probe = probesForTests();
  before(() => {
    run(`
      ip netns add ${host}
      ip netns add ${lan}
      ip link add flush netns ${host} type veth peer name flush netns ${lan}
      ip -n ${host} link set lo up
      ip -n ${host} address add ${address}/26 dev flush
      ip -n ${host} link set flush up
      ip -n ${lan} address add 198.51.100.66/26 dev flush
      ip -n ${lan} link set flush up`);
  });
  const { docker } = daemonForTests([], ['nsenter', `--net=/run/netns/${host}`, launcher]);

  before(async () => {
    await docker.run('run', '-d', '--name', 'server', '-p', '18420:8000', 'busybox', 'sleep', '3600');
    const pid = await docker.run('inspect', '-f', '{{.State.Pid}}', 'server');
    await probe(`/proc/${pid}/ns/net`).serve(8000);
  });
  after(() => {
    run(`ip netns delete ${host}; ip netns delete ${lan}`);
  });

  test('published ports are served again while clients keep asking', async (context) => {
    const client = probe(`/run/netns/${lan}`);
    const ask = () => client.ask('tcp', address, 18_420);
    assert.notEqual(await ask(), '');
    for (let round = 0; round < 5; round++) {
      // Asking goes on through the flush, from several connections at a time.
      let flushed = 0;
      const asking = Array.from({ length: 8 }, async () => {
        let answers = 0;
        while (answers < 20) if ((await ask()) !== '' && flushed > 0) answers++;
      });
      const flush = Date.now();
      run(`nsenter --net=/run/netns/${host} nft flush ruleset`);
      flushed = Date.now();
      await ask();
      context.diagnostic(`flush took ${flushed - flush} ms, an answer came ${Date.now() - flushed} ms after it`);
      await Promise.all(asking);
    }
    const rules = run(`nsenter --net=/run/netns/${host} nft list ruleset`);
    assert.match(rules, /table inet berth/);
  });
});
