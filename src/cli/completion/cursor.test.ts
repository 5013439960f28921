import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagTable } from '../flags/index.ts';
import { findCursor } from './cursor.ts';

const specs = flagTable(`
  -i, --interactive      Keep it open
  -t, --tty              A terminal
  -e, --env list         A variable
      --name string      A name
`);

/** Where the cursor is at the end of a line: a space last means that a word has not begun. */
const at = (line: string, interspersed = true) => {
  const cursor = findCursor(line.split(' '), { specs, interspersed });
  const what = cursor.at === 'value' ? `${cursor.prefix}<${cursor.spec.name}>` : cursor.at;
  return `${cursor.positional.join(' ')}|${what}`;
};

test('the cursor is told as flags are read', () => {
  assert.equal(at(''), '|argument');
  assert.equal(at('--na'), '|flag');
  assert.equal(at('-'), '|flag');
  assert.equal(at('--name '), '|<name>');
  assert.equal(at('--name x '), '|argument');
  assert.equal(at('--name=x'), '|--name=<name>');
  assert.equal(at('--nosuch=x'), '|argument');
  assert.equal(at('-it '), '|argument');
  assert.equal(at('-ite '), '|<env>');
  assert.equal(at('-eA=1 '), '|argument');
  assert.equal(at('-ei '), '|argument');
  assert.equal(at('-e A=1 image --na'), 'image|flag');
  assert.equal(at('image ls --na', false), 'image ls|argument');
  assert.equal(at('-- --na'), '|argument');
  assert.equal(at('- '), '-|argument');
});
