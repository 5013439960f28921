import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import { isBerthError } from '#base';
import { goMode } from './file-list.ts';
import type { GrpcCaller } from './grpc.ts';
import { receiveTree } from './receive-tree.ts';
import { type FileStat, type Packet, packetType, sessionMethods } from './session-methods.ts';

/** What docker 20.10 sent for a small directory, packet by packet; the contents came out of order. */
const recorded = [
  'Eh4KDS5kb2NrZXJpZ25vcmUQpAMoBjCkn/KU3vKF9Rg=',
  'EhsKCkRvY2tlcmZpbGUQpAMobTCB7OOW3vKF9Rg=',
  'EhYKBWEudHh0EKQDKAYwo9ehjd7yhfUY',
  'EhUKBGZpZm8QpIOAEDCkjf6S3vKF9Rg=',
  'EhwKBGhhcmQQpAMoBjCj16GN3vKF9Rg6BWEudHh0',
  'Eh4KBGxpbmsQ/4OAQCgFMKPplY/e8oX1GDoFYS50eHQ=',
  'EhUKA3N1YhDtg4CACDCj6ZWP3vKF9Rg=',
  'EhoKCXN1Yi9iLnR4dBCgAygFMKPplY/e8oX1GA==',
  '',
  'CAIYByIFZGVlcAo=',
  'CAIYBw==',
  'CAIiBioubG9nCg==',
  'CAI=',
  'CAIYASJtRlJPTSBidXN5Ym94IEFTIGJhc2UKQVJHIFdITz1ub2JvZHkKUlVOIGVjaG8gImhpICRXSE8iICYmIGxzIC1sYSAvCkNPUFkgLiAvY3R4ClJVTiBscyAtbGEgL2N0eDsgZWNobyBlcnIgPiYyCg==',
  'CAIYAQ==',
  'CAIYAiIGaGVsbG8K',
  'CAIYAg==',
  'CAM=',
].map((text) => sessionMethods.sendFiles.answer.decode(Buffer.from(text, 'base64')));

interface Peer {
  readonly caller: GrpcCaller;
  /** What was sent to it. */
  readonly asked: Packet[];
  readonly canceled: () => boolean;
}

/** A peer that sends these packets whatever it is asked; a promise among them is waited for. */
function peerThatSends(packets: readonly (Partial<Packet> | Promise<never>)[]): Peer {
  const asked: Packet[] = [];
  let signal: AbortSignal | undefined;
  const caller: Pick<GrpcCaller, 'open'> = {
    open: (method, options) => {
      signal = options?.signal;
      return {
        metadata: {},
        received: (async function* () {
          for (const packet of packets) {
            const full = await packet;
            yield method.answer.decode(
              method.answer.encode({ type: 0, ID: 0, data: new Uint8Array(), ...full } as never),
            );
          }
        })(),
        send: (packet) => {
          asked.push(packet as Packet);
          return Promise.resolve();
        },
        end: () => undefined,
      };
    },
  };
  return { caller: caller as GrpcCaller, asked, canceled: () => signal?.aborted ?? false };
}

const stat = (path: string, rest: Partial<FileStat> = {}): Partial<Packet> => ({
  type: packetType.stat,
  stat: { path, mode: 0o644, ...rest },
});
const directory = (path: string) => stat(path, { mode: goMode.directory + 0o755 });
const endOfList: Partial<Packet> = { type: packetType.stat };
const data = (ID: number, text: string): Partial<Packet> => ({ type: packetType.data, ID, data: Buffer.from(text) });

interface Entry {
  readonly name: string;
  readonly type: string | null | undefined;
  readonly mode: number | undefined;
  readonly linkname: string | null | undefined;
  readonly text: string;
}

async function entriesOf(packets: readonly Partial<Packet>[]): Promise<Entry[]> {
  const tar = receiveTree(peerThatSends(packets).caller, { metadata: {} });
  const entries: Entry[] = [];
  for await (const entry of tar.pipe(extract())) {
    const { name, type, mode, linkname } = entry.header;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    entries.push({ name, type, mode, linkname, text: Buffer.concat(chunks).toString() });
  }
  return entries;
}

async function failureOf(packets: readonly Partial<Packet>[]): Promise<string> {
  try {
    for await (const _ of receiveTree(peerThatSends(packets).caller, { metadata: {} }));
  } catch (error) {
    assert.ok(isBerthError(error), String(error));
    return `${error.kind}: ${error.message}`;
  }
  return 'no failure';
}

test('what docker sends becomes a tar, in the order of its list', async () => {
  const entries = await entriesOf(recorded);
  assert.deepEqual(
    entries.map(({ name, type, mode, linkname }) => [name, type, mode?.toString(8), linkname ?? '']),
    [
      ['.dockerignore', 'file', '644', ''],
      ['Dockerfile', 'file', '644', ''],
      ['a.txt', 'file', '644', ''],
      ['fifo', 'fifo', '644', ''],
      ['hard', 'link', '644', 'a.txt'],
      ['link', 'symlink', '777', 'a.txt'],
      ['sub/', 'directory', '755', ''],
      ['sub/b.txt', 'file', '640', ''],
    ],
  );
  const texts = Object.fromEntries(entries.map(({ name, text }) => [name, text]));
  assert.equal(texts['.dockerignore'], '*.log\n');
  assert.equal(texts['a.txt'], 'hello\n');
  assert.equal(texts['sub/b.txt'], 'deep\n');
});

test('files are asked for by their number, links and empty files not at all, and the end is told', async () => {
  const peer = peerThatSends(recorded);
  for await (const _ of receiveTree(peer.caller, { metadata: {} }));
  assert.deepEqual(
    peer.asked.map(({ type, ID }) => [type, ID]),
    [
      [packetType.request, 0],
      [packetType.request, 1],
      [packetType.request, 2],
      [packetType.request, 7],
      [packetType.finished, 0],
    ],
  );
});

test('long names, other alphabets, odd modes and attributes of bytes arrive as they are', async () => {
  const long = `${'n'.repeat(90)}/${'ä'.repeat(90)}`;
  const entries = await entriesOf([
    directory('n'.repeat(90)),
    stat(long, { mode: goMode.setuid + 0o755, size: 1, xattrs: { 'user.x': Buffer.from([0, 255]) } }),
    endOfList,
    data(1, 'x'),
    data(1, ''),
    { type: packetType.finished },
  ]);
  assert.equal(entries[1]?.name, long);
  assert.equal(entries[1]?.mode, 0o4755);
  assert.equal(entries[1]?.text, 'x');
});

test('paths that lead out, are out of order or without a parent are refused', async () => {
  for (const path of ['/etc', '../x', 'a/../b', 'a//b', './a', '', 'a/', 'a\0b']) {
    assert.match(await failureOf([directory('a'), stat(path), endOfList]), /^invalid: .*not a path inside/, path);
  }
  for (const list of [
    [stat('b'), stat('a')],
    [stat('a'), stat('a')],
    [directory('a'), stat('a/b'), directory('a')],
  ]) {
    assert.match(await failureOf([...list, endOfList]), /^invalid: .*out of order/);
  }
  for (const list of [
    [stat('a/b')],
    [stat('a'), stat('a/b')],
    [stat('a', { mode: goMode.symlink + 0o777, linkname: '/etc' }), stat('a/passwd')],
    [directory('a'), stat('a/b'), stat('a/b/c')],
  ]) {
    assert.match(await failureOf([...list, endOfList]), /^invalid: .*does not lie in a directory/);
  }
  assert.match(await failureOf([stat('a', { linkname: '../../etc/passwd' }), endOfList]), /^invalid: .*not a path/);
});

test('a directory sorts before a name that goes on with a lower sign', async () => {
  const list = [directory('a'), stat('a/z'), stat('a-b'), stat('a.b')];
  assert.equal(await failureOf([...list, endOfList, { type: packetType.finished }]), 'no failure');
});

test('contents of another size, of nobody, or none at all end the tree with what is wrong', async () => {
  const list = [stat('a', { size: 3 }), endOfList];
  assert.match(await failureOf([...list, data(0, 'four')]), /^invalid: a changed while it was sent/);
  assert.match(await failureOf([...list, data(0, 'xy'), data(0, '')]), /^invalid: a changed while it was sent/);
  assert.match(await failureOf([...list, data(7, 'abc')]), /^invalid: .*nobody asked for/);
  assert.match(await failureOf([...list, stat('b')]), /^invalid: .*nobody asked for/);
  assert.match(await failureOf([...list, data(0, 'ab')]), /^unavailable: .*ended before/);
  assert.match(await failureOf([stat('a')]), /^unavailable: .*inside the list/);
  const denied = { type: packetType.error, data: Buffer.from('open a: permission denied') };
  assert.equal(await failureOf([...list, denied]), 'unavailable: open a: permission denied');
  assert.equal(await failureOf([denied]), 'unavailable: open a: permission denied');
});

test('destroying the tar ends the call, also while nothing comes', async () => {
  const never = new Promise<never>(() => undefined);
  const peer = peerThatSends([stat('a', { size: 3 }), never]);
  const tar = receiveTree(peer.caller, { metadata: {} });
  tar.on('error', () => undefined);
  tar.resume();
  await new Promise((resolve) => setImmediate(resolve));
  tar.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(peer.canceled());
});
