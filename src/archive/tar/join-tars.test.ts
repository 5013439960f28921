import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { extract, pack } from 'tar-stream';
import { joinTars } from './join-tars.ts';

function tarOf(files: Record<string, Buffer>): Readable {
  const tar = pack();
  for (const [name, data] of Object.entries(files)) tar.entry({ name }, data);
  tar.finalize();
  // In odd pieces: no block may be taken to come whole.
  return Readable.from(
    (async function* () {
      for await (const chunk of tar as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at += 333) yield chunk.subarray(at, at + 333);
      }
    })(),
  );
}

async function contents(tar: Readable): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = [];
  for await (const entry of tar.pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    found.push([entry.header.name, Buffer.concat(chunks)]);
  }
  return found;
}

test('the members of all archives follow each other, also those that end in zeros', async () => {
  const zeros = Buffer.alloc(2048);
  const joined = joinTars([
    async () => tarOf({ a: Buffer.from('one'), zeros }),
    async () => tarOf({}),
    async () => tarOf({ b: Buffer.from('two') }),
  ]);
  assert.deepEqual(await contents(joined), [
    ['a', Buffer.from('one')],
    ['zeros', zeros],
    ['b', Buffer.from('two')],
  ]);
});
