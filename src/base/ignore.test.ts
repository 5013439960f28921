import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IgnoreMatcher, parseDockerignore } from './ignore.ts';

const cases: readonly (readonly [rules: string, path: string, ignored: boolean])[] = [
  ['node_modules', 'node_modules/a/b.js', true],
  ['node_modules', 'src/node_modules', false],
  ['**/node_modules', 'src/node_modules/x', true],
  ['**/node_modules', 'node_modules', true],
  ['*.md', 'README.md', true],
  ['*.md', 'docs/README.md', false],
  ['**/*.md', 'docs/a/README.md', true],
  ['*.md\n!README.md', 'README.md', false],
  ['*.md\n!README.md\nREADME*', 'README.md', true],
  ['docs\n!docs/keep.txt', 'docs/keep.txt', false],
  ['docs\n!docs/keep.txt', 'docs/other.txt', true],
  ['/absolute', 'absolute', true],
  ['./dotted/', 'dotted/file', true],
  ['# comment\n\n', '# comment', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['docs/**', 'docs/a/b', true],
  ['*', 'anything/at/all', true],
  ['*\n!src', 'src/file', false],
  ['a.c', 'abc', false],
  ['\\*', '*', true],
];

for (const [rules, path, ignored] of cases) {
  test(`${JSON.stringify(rules)} ${ignored ? 'ignores' : 'keeps'} ${path}`, () => {
    assert.equal(new IgnoreMatcher(parseDockerignore(rules)).ignores(path), ignored);
  });
}

test('a pattern that cannot be read is an error that shows it', () => {
  assert.throws(() => new IgnoreMatcher(parseDockerignore('[a')), /ignore pattern "\[a": syntax error in pattern/);
  assert.throws(() => new IgnoreMatcher(parseDockerignore('!')), /illegal exclusion pattern/);
});

test('exceptions are known, so that ignored directories are still walked', () => {
  assert.equal(new IgnoreMatcher(parseDockerignore('a')).hasKeeps, false);
  assert.equal(new IgnoreMatcher(parseDockerignore('a\n!a/b')).hasKeeps, true);
});
