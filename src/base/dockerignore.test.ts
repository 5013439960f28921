import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IgnoreMatcher, parseDockerignore } from './ignore.ts';
import { compilePathPattern } from './path-pattern.ts';

const ignores = (file: string, path: string) => new IgnoreMatcher(parseDockerignore(file)).ignores(path);

const cases: [string, string, boolean][] = [
  ['node_modules', 'node_modules', true],
  ['node_modules', 'node_modules/a/b', true],
  ['node_modules', 'src/node_modules', false],
  ['/a', 'a', true],
  ['a/', 'a/x', true],
  ['./a/../b', 'b', true],
  ['*', 'x', true],
  ['*', 'x/y', true],
  ['*.md', 'a.md', true],
  ['*.md', 'd/a.md', false],
  ['*/*.md', 'd/a.md', true],
  ['**/*.md', 'a.md', true],
  ['**/*.md', 'd/e/a.md', true],
  ['**', 'x/y', true],
  ['a/**', 'a', false],
  ['a/**', 'a/b', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['**/x', 'ax', false],
  ['te?t', 'test', true],
  ['[a-c]x', 'bx', true],
  ['[^a]x', 'ax', false],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['# c\nb', '# c', false],
  [' # c', '# c', true],
  ['*.md\n!README.md', 'README.md', false],
  ['*.md\n!README.md\nREAD*', 'README.md', true],
  ['!a\na', 'a', true],
  ['a\n!a/b', 'a/b', false],
  ['a\n!a/b', 'a/c', true],
  ['a\n!a/b', 'a/b/c', false],
  ['a.c', 'abc', false],
  ['a(b', 'a(b', true],
  ['dir/*\n!dir/keep', 'dir/keep', false],
  ['\uFEFFa', 'a', true],
];

for (const [file, path, want] of cases) {
  test(`${JSON.stringify(file)} ${want ? 'leaves out' : 'keeps'} ${path}`, () =>
    assert.equal(ignores(file, path), want));
}

test('IgnoreMatcher refuses a malformed pattern', () => {
  assert.throws(() => ignores('a[', 'a'), { kind: 'invalid' });
  assert.throws(() => parseDockerignore('!'), { kind: 'invalid', message: /illegal exclusion pattern/ });
});

test('compilePathPattern stays within one directory', () => {
  assert.equal(compilePathPattern('*')?.test('a/b'), false);
  assert.equal(compilePathPattern('a?b')?.test('a/b'), false);
  assert.equal(compilePathPattern('a[^x]b')?.test('a/b'), false);
  assert.equal(compilePathPattern('a[-x]b')?.test('a-b'), true);
});
