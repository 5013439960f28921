import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { newId } from '#base';
import { doomedLinkGroup } from '#host';
import type { NetworkService, SandboxRequest } from './index.ts';
import { playHost, sandboxRequest } from './testing/played-host.ts';

const played = playHost('removal_test');
const { links, database, lan, ask, serving } = played;
let service: NetworkService;
before(() => played.up());
after(() => played.down());

beforeEach(async () => {
  service = played.service();
  await service.reconcile(new Set());
});

const request = (name: string, extra: Partial<SandboxRequest> = {}) =>
  sandboxRequest({ id: newId(), name, hostname: name }, extra);

const veths = async () => (await links.list()).filter(({ kind, name }) => kind === 'veth' && name !== 'uplink');

/** Does `first` before every deletion of a link that is asked for, until what it returns is called. */
function beforeDeletions(first: () => Promise<void>): () => void {
  const { apply } = links;
  links.apply = async (changes, netns) => {
    if (changes.some(({ op }) => op === 'delete')) await first();
    return apply.call(links, changes, netns);
  };
  return () => {
    links.apply = apply;
  };
}

/** Holds back every deletion of a link that is asked for, until `release`; for ever after `abandon`, as a kill would. */
function holdDeletions(): { release(): void; abandon(): void } {
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const abandon = beforeDeletions(() => held);
  return {
    abandon,
    release() {
      abandon();
      go();
    },
  };
}

/** Closes a sandbox and removes its network while no link goes: what is left is the kernel's part. */
async function leaveBriefNetwork() {
  await service.create({ name: 'brief' });
  const wanted = request('web', { endpoints: [{ network: 'brief' }] });
  const { netnsPath } = await service.open(wanted);
  const deletions = holdDeletions();
  await service.close(wanted.owner.id);
  await service.remove('brief');
  return { netnsPath, deletions };
}

test('a closed sandbox is out of sight while its links are still there', async () => {
  await service.create({ name: 'shop' });
  const port = { protocol: 'tcp', containerPort: 80, hostPort: 18_081 } as const;
  const wanted = request('web', { endpoints: [{ network: 'shop' }], ports: [port] });
  const sandbox = await service.open(wanted);
  const deletions = holdDeletions();
  await service.close(wanted.owner.id);
  assert.equal((await veths()).length, 1);
  assert.equal(await service.find(wanted.owner.id), undefined);
  assert.deepEqual(await service.endpoints((await service.get('shop')).id), []);
  await serving(undefined, port.hostPort, async () => assert.match(await ask(undefined, '127.0.0.1', 18_081), /hello/));
  const again = service.open({ ...wanted, owner: { ...wanted.owner, id: newId() } });
  assert.notEqual((await again).endpoints[0]?.ipv4?.address, sandbox.endpoints[0]?.ipv4?.address);
  await service.close((await again).id);
  deletions.release();
  await service.shutdown();
});

test('a network goes before the links of those that have left it, and they follow', async () => {
  const { netnsPath, deletions } = await leaveBriefNetwork();
  deletions.release();
  await service.shutdown();
  assert.deepEqual(await veths(), []);
  assert.ok(!existsSync(netnsPath));
  assert.deepEqual(database.all('SELECT * FROM network_sandboxes'), []);
});

test('what a leaving sandbox still holds is waited for: its owner, a fixed address, the last one of a network', async () => {
  await service.create({ name: 'tiny', ipam: { pools: [{ subnet: '10.99.0.0/30' }] } });
  await service.create({ name: 'wide', ipam: { pools: [{ subnet: '10.98.0.0/24' }] } });
  const fixed = { endpoints: [{ network: 'wide', ipv4: '10.98.0.9' }] };
  const owner = { id: newId(), name: 'same', hostname: 'same' };
  const pairs: [SandboxRequest, SandboxRequest][] = [
    [sandboxRequest(owner), sandboxRequest(owner)],
    [request('old', fixed), request('new', fixed)],
    [request('old', { endpoints: [{ network: 'tiny' }] }), request('new', { endpoints: [{ network: 'tiny' }] })],
  ];
  for (const [old, next] of pairs) {
    await service.open(old);
    const deletions = holdDeletions();
    await service.close(old.owner.id);
    const opening = service.open(next);
    deletions.release();
    assert.equal((await opening).endpoints.length, 1);
    await service.close(next.owner.id);
  }
  const holder = request('holder', fixed);
  await service.open(holder);
  await assert.rejects(service.open(request('late', fixed)), /Address already in use/);
  await service.close(holder.owner.id);
  await service.remove('tiny');
  await service.remove('wide');
  await service.shutdown();
});

test('a removal that the kernel refused is tried again for the next sandbox of its owner', async () => {
  const wanted = request('stubborn');
  await service.open(wanted);
  const relent = beforeDeletions(() => Promise.reject(new Error('the kernel is busy')));
  await service.close(wanted.owner.id);
  await assert.rejects(service.open(wanted), /the kernel is busy/);
  relent();
  await service.open(wanted);
  assert.equal((await veths()).length, 1);
  await service.close(wanted.owner.id);
  await service.shutdown();
  assert.deepEqual(await veths(), []);
});

test('after a kill the next daemon takes down what was leaving, also from a network that is gone', async () => {
  const { netnsPath, deletions } = await leaveBriefNetwork();
  deletions.abandon();
  const doomed = { name: 'doomed', group: doomedLinkGroup, peerName: 'end', peerNetns: lan } as const;
  await links.apply([{ op: 'add-veth', peerMac: '02:00:00:00:00:01', ...doomed }]);
  // Ends its sockets, as the kernel would, and waits for ever.
  void service.shutdown();
  service = played.service();
  await service.reconcile(new Set());
  assert.deepEqual(await veths(), []);
  assert.ok(!existsSync(netnsPath));
  assert.deepEqual(database.all('SELECT * FROM network_sandboxes'), []);
  await service.shutdown();
});
