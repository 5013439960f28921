import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url));

function run(...words: string[]) {
  return spawnSync(berth, words, { encoding: 'utf8' });
}

test('a file of --env-file that is not there is named, with the exit code of wrong flags', () => {
  const { status, stderr } = run('run', '--env-file', '/nonexistent/env', 'image');
  assert.match(stderr, /^berth: open \/nonexistent\/env: no such file or directory\n/);
  assert.equal(status, 125);
});

test('NODE_OPTIONS in a file of --env-file is for the container, not for the client', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cli-env-file-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'env');
  writeFileSync(file, 'NODE_OPTIONS=--no-such-option\n');
  const { status, stderr } = run('compose', '--env-file', file, 'version');
  assert.equal(stderr, '');
  assert.equal(status, 0);
});
