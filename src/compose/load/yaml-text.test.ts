import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { plainOf } from './tree.ts';
import { YamlFile } from './yaml-file.ts';
import { yamlText } from './yaml-text.ts';

const awkward = {
  words: ['yes', 'n', 'null', '~', '', ' x', 'x ', '1', '1.5', '0x1F', '12:30', '2001-01-01', '<<', '---', '.inf'],
  signs: [
    '- a',
    'a: b',
    'a:',
    'a #b',
    '#',
    '*a',
    '&a',
    '!a',
    '%a',
    '@a',
    '`a',
    '"a"',
    "'a'",
    '{a',
    '[a',
    '?',
    'a?',
    ':a',
  ],
  text: [
    'a\nb',
    'a\nb\n',
    'a\n\nb\n\n',
    ' lead\nb',
    'tab\there',
    'é\u2028',
    '\u0007',
    'a\r\nb',
    'trail \nb',
    'ü',
    '$$x',
  ],
  scalars: [true, null, 0, -1.5, 2.5e-9],
  nested: [[1, [2]], { a: [{ b: [] }], c: {} }, {}],
  'n: k': { '10': 1, '9': 2 },
};

test('what is written reads back the same with a YAML 1.2 reader', () => {
  assert.deepEqual(load(yamlText(awkward)), awkward);
});

test('what is written reads back the same as a Compose file', () => {
  const [document] = new YamlFile('f', yamlText(awkward)).documents;
  assert.deepEqual(plainOf(document?.value ?? null), awkward);
});

test('keys keep their order, lists are indented, lines become a block', () => {
  const value = new Map<string, unknown>([
    ['b', ['x']],
    ['a', { c: 'l1\nl2\n', d: '80' }],
  ]);
  assert.equal(yamlText(value), 'b:\n  - x\na:\n  c: |\n    l1\n    l2\n  d: "80"\n');
});
