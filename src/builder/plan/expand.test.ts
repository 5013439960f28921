// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the cases are Dockerfile text
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandWord, expandWords } from './expand.ts';

const values: Record<string, string> = { a: '1', e: '', p: 'foo.tar.gz', w: 'x y', FOO: 'xyz' };
const lookup = (name: string) => values[name];

const cases: [string, string][] = [
  ['$a', '1'],
  ['${a}x', '1x'],
  ['$a-b', '1-b'],
  ['$none', ''],
  ['$', '$'],
  ['"$a$"', '1$'],
  ['$$x', 'x'],
  ['$1', ''],
  ['\\$a', '$a'],
  ["'$a'", '$a'],
  ['"\\"$a\\" \\x"', '"1" \\x'],
  ['a\\ b', 'a b'],
  ['b  c "d"  e', 'b  c d  e'],
  ['${none:-y}', 'y'],
  ['${none-y}', 'y'],
  ['${e:-y}', 'y'],
  ['${e-y}', ''],
  ['${none:-"y z"}', 'y z'],
  ['${none:-${a}}', '1'],
  ['${a:+k}', 'k'],
  ['${e:+k}', ''],
  ['${e+k}', 'k'],
  ['${none+k}', ''],
  ['${a:?bad}', '1'],
  ['${p%.*}', 'foo.tar'],
  ['${p%%.*}', 'foo'],
  ['${p#*.}', 'tar.gz'],
  ['${p##*.}', 'gz'],
  ['${p#f?o}', '.tar.gz'],
  ['${p/o/0}', 'f0o.tar.gz'],
  ['${p//o/0}', 'f00.tar.gz'],
  ['${p/%gz/x}', 'foo.tar.gz'],
  ['${p/t*/}', 'foo.'],
  ['${p//\\./-}', 'foo-tar-gz'],
  ['${FOO/z/$a}', 'xy1'],
];

for (const [text, want] of cases) {
  test(`expandWord turns ${text} into ${want === '' ? 'nothing' : want}`, () =>
    assert.equal(expandWord(text, lookup), want));
}

const failures: [string, RegExp][] = [
  ['${}', /^syntax error: bad substitution$/],
  ['${b^x}', /^unsupported modifier \(\^\) in substitution$/],
  ['${b:x}', /^unsupported modifier \(:x\) in substitution$/],
  ['${b', /^syntax error: missing '}'$/],
  ['${b:-x', /^syntax error: missing '}'$/],
  ['${none?msg}', /^none: msg$/],
  ['${none:?}', /^none: is not allowed to be unset$/],
  ['${e:?}', /^e: is not allowed to be empty$/],
  ['"b', /^unexpected end of statement while looking for matching double-quote$/],
  ["'b", /^unexpected end of statement while looking for matching single-quote$/],
];

for (const [text, message] of failures) {
  test(`expandWord refuses ${text}`, () => assert.throws(() => expandWord(text, lookup), { message }));
}

test('expandWord uses the escape character of the file', () => {
  assert.equal(expandWord('C:\\x `$a', lookup, '`'), 'C:\\x $a');
});

test('expandWords splits at unquoted blanks, also in values', () => {
  assert.deepEqual(expandWords('a $w "$w" $none b', lookup), ['a', 'x', 'y', 'x y', 'b']);
});

test('expandWord matches hostile patterns in bounded time', () => {
  const value = 'a'.repeat(400);
  assert.equal(
    expandWord(`\${v%${'*a'.repeat(40)}b}`, () => value),
    value,
  );
});
