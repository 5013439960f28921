import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachScanner, readDetachKeys } from './detach-keys.ts';

test('keys are read as letters and control letters', () => {
  assert.deepEqual([...readDetachKeys('')], [16, 17]);
  assert.deepEqual([...readDetachKeys('a,ctrl-@,ctrl-\\,ctrl-_')], [97, 0, 28, 31]);
  assert.throws(() => readDetachKeys('ctrl-1'), { kind: 'invalid', message: "Unknown character: 'ctrl-1'" });
});

const typed = (keys: string, ...chunks: string[]) => {
  const scanner = new DetachScanner(readDetachKeys(keys));
  let text = '';
  for (const chunk of chunks) {
    const { data, detached } = scanner.push(Buffer.from(chunk));
    text += data;
    if (detached) return `${text}|detached`;
  }
  return text;
};

test('the keys detach, also when they come apart, and reach nobody', () => {
  assert.equal(typed('', 'ab\x10', '\x11c'), 'ab|detached');
  assert.equal(typed('', 'ab\x10\x11c'), 'ab|detached');
  assert.equal(typed('a', 'bab'), 'b|detached');
});

test('what is no whole set of keys is passed on as it was', () => {
  assert.equal(typed('', 'plain'), 'plain');
  assert.equal(typed('', '\x10', 'x\x10y\x11'), '\x10x\x10y\x11');
  assert.equal(typed('', '\x10\x10', '\x11'), '\x10|detached');
  assert.equal(typed('a,b,c', 'ab', 'ab', 'x', 'abab'), 'ababxab');
  assert.equal(typed('a,b,c', 'ababc'), 'ab|detached');
});
