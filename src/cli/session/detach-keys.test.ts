import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachWatcher, defaultDetachKeys, readDetachKeys } from './detach-keys.ts';

test('keys are read as letters and control letters', () => {
  assert.deepEqual(readDetachKeys(defaultDetachKeys), [16, 17]);
  assert.deepEqual(readDetachKeys('a,ctrl-@,ctrl-_'), [97, 0, 31]);
  assert.throws(() => readDetachKeys('ctrl-1'), /Unknown character/);
});
test('the keys detach, also when they come apart, and reach nobody', () => {
  const watcher = new DetachWatcher([16, 17]);
  assert.deepEqual(watcher.take(Buffer.from('ab\x10')), { pass: Buffer.from('ab'), detach: false });
  assert.deepEqual(watcher.take(Buffer.from('\x11')), { pass: Buffer.from(''), detach: true });
});
test('a part of the keys that goes on otherwise is passed on whole', () => {
  const watcher = new DetachWatcher([16, 17]);
  assert.deepEqual(watcher.take(Buffer.from('\x10x')).pass, Buffer.from('\x10x'));
  assert.deepEqual(watcher.take(Buffer.from('\x10\x10')).pass, Buffer.from('\x10'));
  assert.equal(watcher.take(Buffer.from('\x11')).detach, true);
});
