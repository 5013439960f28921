import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

function run(command: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

test('imports run in one direction, through doors, without circles, in files of bounded size', () => {
  const { status, text } = run(process.execPath, 'tools/check-layers.mjs');
  assert.equal(status, 0, text);
});

test('the sources are linted and formatted', () => {
  const { status, text } = run('npx', '--no-install', 'biome', 'check', '--diagnostic-level=error', '.');
  assert.equal(status, 0, text);
});

test('every room has a door and a README', () => {
  for (const room of readdirSync(join(root, 'src'))) {
    const has = (file: string) => existsSync(join(root, 'src', room, file));
    // What is started and never imported has no door but a front door.
    assert.ok(has('index.ts') || has('main.ts'), `${room}: neither index.ts nor main.ts`);
    assert.ok(has('README.md'), `${room}: no README.md`);
  }
});

test('package-lock.json holds no download addresses', () => {
  assert.doesNotMatch(readFileSync(join(root, 'package-lock.json'), 'utf8'), /"resolved"/);
});
