import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import { tarOf } from './sync-files.ts';

test('files that go, shrink or grow while they are copied do not spoil the others', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'compose-sync-'));
  try {
    const copies = ['cut', 'empty', 'gone', 'grown', 'last'].map((name) => {
      const hostPath = join(directory, name);
      writeFileSync(hostPath, name === 'empty' ? '' : 'content');
      return { hostPath, containerPath: `/app/${name}`, stats: lstatSync(hostPath) };
    });
    rmSync(join(directory, 'gone'));
    truncateSync(join(directory, 'cut'), 3);
    writeFileSync(join(directory, 'grown'), 'content and more');
    const found: Record<string, string> = {};
    for await (const entry of tarOf(copies).pipe(extract())) found[entry.header.name] = await text(entry);
    const expected = { 'app/cut': 'con', 'app/empty': '', 'app/grown': 'content and more', 'app/last': 'content' };
    assert.deepEqual(found, expected);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
