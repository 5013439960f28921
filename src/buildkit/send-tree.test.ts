import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isBerthError } from '#base';
import { goMode } from './file-list.ts';
import type { MessageStream } from './grpc.ts';
import { type SentTree, sendTree } from './send-tree.ts';
import { type FileStat, type Packet, packetType } from './session-methods.ts';

/** A queue of messages that is read as it is filled. */
class Mailbox<T> {
  readonly #items: (T | undefined)[] = [];
  #wake: () => void = () => undefined;

  put(item: T | undefined): void {
    this.#items.push(item);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#items.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      const item = this.#items.shift();
      if (item === undefined) return;
      yield item;
    }
  }
}

/** The end that receives: reads the list, asks for what a test wants, and collects what comes. */
class Receiver {
  readonly #sent = new Mailbox<Packet>();
  readonly #asked = new Mailbox<Packet>();
  readonly done: Promise<void>;
  readonly abort = new AbortController();

  constructor(tree: Partial<SentTree> & { directory: string }) {
    const stream: MessageStream<Packet, Packet> = {
      metadata: {},
      received: this.#asked,
      send: async (packet) => this.#sent.put(packet),
      end: () => undefined,
    };
    this.done = sendTree(stream, { include: [], exclude: [], follow: [], ...tree }, this.abort.signal);
    this.done.catch(() => undefined);
  }

  /** The next packet sent. Reading goes on where it stopped. */
  readonly #reader = this.#sent[Symbol.asyncIterator]();
  async next(): Promise<Packet> {
    const { value } = await this.#reader.next();
    assert.ok(value);
    return value;
  }

  async list(): Promise<FileStat[]> {
    const stats: FileStat[] = [];
    for (;;) {
      const packet = await this.next();
      assert.equal(packet.type, packetType.stat, Buffer.from(packet.data).toString());
      if (packet.stat === undefined) return stats;
      stats.push(packet.stat as FileStat);
    }
  }

  ask(id: number): void {
    this.#asked.put({ type: packetType.request, ID: id, data: new Uint8Array(0) });
  }

  async contents(id: number): Promise<Buffer> {
    this.ask(id);
    const chunks: Uint8Array[] = [];
    for (;;) {
      const packet = await this.next();
      assert.deepEqual([packet.type, packet.ID], [packetType.data, id], Buffer.from(packet.data).toString());
      if (packet.data.length === 0) return Buffer.concat(chunks);
      chunks.push(packet.data);
    }
  }

  async finish(): Promise<void> {
    this.#asked.put({ type: packetType.finished, ID: 0, data: new Uint8Array(0) });
    assert.equal((await this.next()).type, packetType.finished);
    await this.done;
  }

  hangUp(): void {
    this.#asked.put(undefined);
  }
}

function makeTree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'buildkit-tree-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

async function pathsOf(tree: Partial<SentTree> & { directory: string }): Promise<string[]> {
  const receiver = new Receiver(tree);
  const stats = await receiver.list();
  await receiver.finish();
  return stats.map(({ path }) => path);
}

const kind = (wanted: string) => (error: unknown) => isBerthError(error) && error.kind === wanted;

test('a tree is listed component by component in the order of bytes, directories before what is in them', async (t) => {
  const directory = makeTree(t, { 'a/z': '', 'a/b/c': '', 'a-b': '', 'a.txt': '', Z: '', 'ä/x': '', zz: '' });
  const expected = ['Z', 'a', 'a/b', 'a/b/c', 'a/z', 'a-b', 'a.txt', 'zz', 'ä', 'ä/x'];
  assert.deepEqual(await pathsOf({ directory }), expected);
});

test('kinds and modes are Go’s, owners are root, later names of a file are links, sockets stay here', async (t) => {
  const directory = makeTree(t, { 'a/file': 'hello', 'a/tool': '' });
  chmodSync(join(directory, 'a/file'), 0o640);
  chmodSync(join(directory, 'a/tool'), 0o4755);
  chmodSync(join(directory, 'a'), 0o1777);
  linkSync(join(directory, 'a/file'), join(directory, 'b'));
  symlinkSync('../up', join(directory, 'c'));
  execFileSync('mkfifo', ['-m', '600', join(directory, 'd')]);
  const server = createServer().listen(join(directory, 'e'));
  t.after(() => server.close());
  const receiver = new Receiver({ directory });
  const stats = await receiver.list();
  assert.deepEqual(
    stats.map(({ path, mode, size, linkname, uid, gid }) => [path, mode, size, linkname, uid + gid]),
    [
      ['a', goMode.directory + goMode.sticky + 0o777, 0, '', 0],
      ['a/file', 0o640, 5, '', 0],
      ['a/tool', goMode.setuid + 0o755, 0, '', 0],
      ['b', 0o640, 5, 'a/file', 0],
      ['c', goMode.symlink + 0o777, 5, '../up', 0],
      ['d', goMode.namedPipe + 0o600, 0, '', 0],
    ],
  );
  assert.equal((await receiver.contents(1)).toString(), 'hello');
  await receiver.finish();
});

test('exclude patterns leave out what they match, but for what a later one keeps, with its directories', async (t) => {
  const directory = makeTree(t, { 'a/keep/x': '', 'a/drop/y': '', 'b/z': '', c: '' });
  assert.deepEqual(await pathsOf({ directory, exclude: ['b', '**/drop'] }), ['a', 'a/keep', 'a/keep/x', 'c']);
  assert.deepEqual(await pathsOf({ directory, exclude: ['*', '!a/keep/x'] }), ['a', 'a/keep', 'a/keep/x']);
});

test('include patterns leave out all else; directories come along for what is in them', async (t) => {
  const directory = makeTree(t, { 'a/b/c.js': '', 'a/b/c.txt': '', 'a/d/e': '', Dockerfile: '', x: '' });
  assert.deepEqual(await pathsOf({ directory, include: ['Dockerfile', 'Dockerfile.dockerignore'] }), ['Dockerfile']);
  assert.deepEqual(await pathsOf({ directory, include: ['a/*/*.js'] }), ['a', 'a/b', 'a/b/c.js']);
  assert.deepEqual(await pathsOf({ directory, include: ['a/d'] }), ['a', 'a/d', 'a/d/e']);
  assert.deepEqual(await pathsOf({ directory, include: ['**/e', 'x'], exclude: ['x'] }), ['a', 'a/d', 'a/d/e']);
});

test('followed paths bring the links on them and what these point to, and never leave the tree', async (t) => {
  const directory = makeTree(t, { 'real/deep/file': '', 'real/other': '', 'n1.txt': '', unused: '', passwd: '' });
  symlinkSync('real', join(directory, 'way'));
  symlinkSync('/n1.txt', join(directory, 'absolute.ln'));
  symlinkSync('../../../../passwd', join(directory, 'climbing.ln'));
  symlinkSync('loop', join(directory, 'loop'));
  assert.deepEqual(await pathsOf({ directory, follow: ['/way/deep/file'] }), [
    'real',
    'real/deep',
    'real/deep/file',
    'way',
  ]);
  assert.deepEqual(await pathsOf({ directory, follow: ['*.ln'] }), ['absolute.ln', 'climbing.ln', 'n1.txt', 'passwd']);
  symlinkSync('grows/x', join(directory, 'grows'));
  const circles = ['loop', 'loop/x', 'grows', 'nothing/there'];
  assert.deepEqual(await pathsOf({ directory, follow: circles }), ['grows', 'loop']);
  const both = await pathsOf({ directory, follow: ['way/deep', 'way/other'] });
  assert.deepEqual(both, ['real', 'real/deep', 'real/deep/file', 'real/other', 'way']);
  assert.equal((await pathsOf({ directory, follow: ['.'] })).length, 12);
});

test('contents are sent for what is asked, each file once, in parts, several at a time', async (t) => {
  const big = 'x'.repeat(300_000);
  const directory = makeTree(t, { a: big, b: 'b', c: '', d: 'd' });
  const receiver = new Receiver({ directory });
  await receiver.list();
  assert.equal((await receiver.contents(0)).toString(), big);
  assert.equal((await receiver.contents(2)).length, 0);
  receiver.ask(1);
  receiver.ask(3);
  const got = [await receiver.next(), await receiver.next(), await receiver.next(), await receiver.next()];
  assert.deepEqual(got.map(({ ID, data }) => `${ID}${Buffer.from(data)}`).sort(), ['1', '1b', '3', '3d']);
  receiver.ask(1);
  await assert.rejects(receiver.done, kind('invalid'));
  assert.equal((await receiver.next()).type, packetType.error);
});

test('a file that grows ends where the list said, one that shrinks or goes ends the sync with its name', async (t) => {
  const directory = makeTree(t, { a: 'four', b: 'four', c: 'four' });
  const first = new Receiver({ directory });
  await first.list();
  appendFileSync(join(directory, 'a'), ' more');
  assert.equal((await first.contents(0)).toString(), 'four');
  truncateSync(join(directory, 'b'), 2);
  first.ask(1);
  await assert.rejects(first.done, { message: /^b became shorter/ });
  const second = new Receiver({ directory });
  await second.list();
  rmSync(join(directory, 'c'));
  second.ask(2);
  await assert.rejects(second.done, { message: /^c was removed or replaced/ });
  assert.match(Buffer.from((await second.next()).data).toString(), /^c was removed/);
});

test('a link put in the place of a file, or of a directory above it, is not followed', async (t) => {
  const outside = makeTree(t, { f: 'secret' });
  const directory = makeTree(t, { a: 'public', 'd/f': 'public' });
  for (const [id, swap] of [
    [0, () => renameSync(join(directory, 'a'), join(directory, 'gone'))],
    [2, () => renameSync(join(directory, 'd'), join(directory, 'moved'))],
  ] as const) {
    const receiver = new Receiver({ directory, include: ['a', 'd'] });
    await receiver.list();
    swap();
    symlinkSync(id === 0 ? join(outside, 'f') : outside, join(directory, id === 0 ? 'a' : 'd'));
    receiver.ask(id);
    await assert.rejects(receiver.done, kind('conflict'));
  }
});

test('an end that asks for what was not offered, sends nonsense or goes away ends the sync', async (t) => {
  const directory = makeTree(t, { 'd/a': 'x' });
  const asking = new Receiver({ directory });
  await asking.list();
  asking.ask(0);
  await assert.rejects(asking.done, kind('invalid'));
  const leaving = new Receiver({ directory });
  await leaving.list();
  leaving.hangUp();
  await assert.rejects(leaving.done, kind('unavailable'));
  const patterns = new Receiver({ directory, exclude: ['[a'] });
  await assert.rejects(patterns.done, kind('invalid'));
});
