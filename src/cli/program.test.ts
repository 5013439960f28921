import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

const slips: readonly (readonly [words: string, meant: string])[] = [
  ['rnu busybox', 'berth run'],
  ['image lss', 'berth image ls'],
  ['compose ups', 'berth compose up'],
  ['help imags', 'berth help images'],
];
for (const [words, meant] of slips) {
  test(`berth ${words} is refused with the command that was meant`, () => {
    const { status, stderr } = run(...words.split(' '));
    assert.ok(stderr.includes(`Did you mean '${meant}'?`), stderr);
    assert.equal(status, 1);
  });
}

test('NODE_OPTIONS in a file of --env-file is for the container, not for the client', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cli-env-file-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'env');
  writeFileSync(file, 'NODE_OPTIONS=--no-such-option\n');
  const { status, stderr } = run('compose', '--env-file', file, 'version');
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

/** What bash puts in place of what is being typed at the end of a line; `compopt` works in a shell that completes only. */
function complete(line: string): string[] {
  const script = `PATH="${dirname(berth)}:$PATH"; source <(berth completion bash); compopt() { :; }
    COMP_LINE="berth $1"; COMP_POINT=\${#COMP_LINE}; _berth; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', line], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, their subcommands and their flags', () => {
  assert.deepEqual(complete('boots'), ['bootstrap']);
  assert.deepEqual(complete('container ren'), ['rename']);
  assert.deepEqual(complete('compose resta'), ['restart']);
  assert.deepEqual(complete('run --env'), ['--env', '--env-file']);
  assert.deepEqual(complete('image prune --al'), ['--all']);
  assert.deepEqual(complete('compose up --remove'), ['--remove-orphans']);
  // Bash ends words at = and :, and replaces what comes behind.
  assert.deepEqual(complete('run --restart=un'), ['unless-stopped']);
  assert.deepEqual(complete(`build ${dirname(berth)}/start`), [`${dirname(berth)}/start.cjs`]);
});
