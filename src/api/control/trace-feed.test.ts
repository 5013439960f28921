import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TraceFeed } from './trace-feed.ts';

const never = new AbortController().signal;
const log = (data: Buffer) => ({ logs: [{ vertex: 'v', timestamp: 0, stream: 1, data }] });

async function textsOf(feed: TraceFeed): Promise<string[]> {
  const texts: string[] = [];
  for await (const { logs = [] } of feed.read(never)) texts.push(...logs.map(({ data }) => String(data)));
  return texts;
}

test('what came before and what comes is read in order, to the end', async () => {
  const feed = new TraceFeed();
  feed.push(log(Buffer.from('a')));
  const read = textsOf(feed);
  await new Promise(setImmediate);
  feed.push(log(Buffer.from('b')));
  feed.end();
  feed.push(log(Buffer.from('c')));
  assert.deepEqual(await read, ['a', 'b']);
});

test('reading ends with its signal', async () => {
  const controller = new AbortController();
  const reader = new TraceFeed().read(controller.signal);
  const next = reader.next();
  controller.abort();
  assert.equal((await next).done, true);
});

test('output that nobody reads is clipped, and that is said once', async () => {
  const feed = new TraceFeed();
  for (let count = 0; count < 20; count++) feed.push(log(Buffer.alloc(1 << 20, 'x')));
  feed.push({ vertexes: [{ digest: 'd', name: 'n' }] });
  feed.end();
  const parts = [];
  for await (const part of feed.read(never)) parts.push(part);
  const sizes = parts.flatMap(({ logs = [] }) => logs.map(({ data }) => data.length));
  assert.equal(sizes.length, 17);
  assert.ok(sizes.slice(0, 16).every((size) => size === 1 << 20));
  assert.match(String(parts[16]?.logs?.[0]?.data), /output clipped/);
  assert.equal(parts.at(-1)?.vertexes?.[0]?.name, 'n');
});
