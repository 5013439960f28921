import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { WholeFloat } from '../model/whole-float.ts';
import { plainOf } from './tree.ts';
import { YamlFile } from './yaml-file.ts';
import { resolvePlainScalar } from './yaml-scalar.ts';

function read(text: string): unknown {
  const [document] = new YamlFile('compose.yaml', text).documents;
  return plainOf(document?.value ?? null);
}

describe('plain scalars', () => {
  const cases: Array<[string, unknown]> = [
    ['', null],
    ['~', null],
    ['true', true],
    ['yes', 'yes'],
    ['010', 8],
    ['0o10', 8],
    ['08', new WholeFloat(8)],
    ['0x1F', 31],
    ['1_000', 1000],
    ['-5', -5],
    ['1e3', new WholeFloat(1000)],
    ['.5', 0.5],
    ['12:30', '12:30'],
    ['2001-01-01', '2001-01-01'],
    ['12345678901234567890', 12345678901234567890n],
    ['1.2.3', '1.2.3'],
    ['.env', '.env'],
  ];
  for (const [text, value] of cases) {
    test(`${JSON.stringify(text)} is ${inspect(value)}`, () => assert.deepEqual(resolvePlainScalar(text), value));
  }
});

test('quoted scalars are text', () => {
  assert.deepEqual(read('a: "1"\nb: \'true\'\nc: |\n  x\n'), { a: '1', b: 'true', c: 'x\n' });
});

test('merge keys add what is not there, the first source winning', () => {
  const text = 'a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  z: 3\n  <<: [*a, *b]\n';
  assert.deepEqual((read(text) as Record<string, unknown>).c, { z: 3, x: 1, y: 1 });
});

test('a key named __proto__ is a key like any other', () => {
  const value = read('a: {__proto__: {polluted: 1}}') as { a: object };
  assert.deepEqual(Object.keys(value.a), ['__proto__']);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('!reset drops its value and !override keeps it, and both are recorded', () => {
  const [document] = new YamlFile('f', 'a: {b: !reset [], c: !override {d: 1}}').documents;
  assert.deepEqual(plainOf(document?.value ?? null), { a: { c: { d: 1 } } });
  assert.deepEqual(document?.resets, [
    ['a', 'b'],
    ['a', 'c'],
  ]);
});

test('a key given twice is refused with both lines', () => {
  assert.throws(() => read('a:\n  x: 1\n  x: 2\n'), /line 3: mapping key "x" already defined at line 2/);
});

test('an unknown alias is refused', () => {
  assert.throws(() => read('a: *nope'), /unknown anchor 'nope' referenced \(compose\.yaml:1\)/);
});

test('an anchor that contains itself is refused', () => {
  assert.throws(() => read('a: &a\n  b: *a\n'), /anchor 'a' value contains itself/);
});

test('aliases that multiply without end are refused', () => {
  const lines = ['l0: &l0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 12; level++) {
    const alias = `*l${level - 1}`;
    lines.push(`l${level}: &l${level} [${Array(9).fill(alias).join(', ')}]`);
  }
  assert.throws(() => read(lines.join('\n')), /excessive aliasing/);
});

test('a syntax error names its line', () => {
  assert.throws(() => read('a:\n  b: [1\n'), /^BerthError: yaml: line \d+: .*\(compose\.yaml:\d+\)$/);
});

test('a path is found again, also through an alias', () => {
  const file = new YamlFile('f', 'x: &x\n  image: a\nservices:\n  web: *x\n');
  assert.deepEqual(file.locate(['services', 'web', 'image'])?.at, { file: 'f', line: 2, column: 3 });
  assert.equal(file.locate(['services', 'nope'])?.depth, 1);
});
