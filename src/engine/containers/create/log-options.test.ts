import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLog, chooseLog } from './log-options.ts';

test('log drivers and options that cannot be are refused in plain words', () => {
  for (const [driver, options, message] of [
    ['nope', {}, /plugin "nope" not found/],
    ['json-file', { nope: '1' }, /unknown log opt 'nope' for json-file log driver/],
    ['', { 'max-size': 'x' }, /invalid size: 'x'/],
    ['local', { 'max-file': '0' }, /max-file cannot be less than 1/],
    ['local', { 'max-file': 'two' }, /invalid syntax/],
    ['json-file', { mode: 'odd' }, /logging mode not supported: odd/],
  ] as const) {
    assert.throws(() => checkLog({ driver, options: { ...options } as Record<string, string> }), { message });
  }
});

test('what Docker takes is taken', () => {
  checkLog({ driver: '', options: { 'max-size': '10m', 'max-file': '3', compress: 'true', labels: 'a' } });
  checkLog({ driver: 'none', options: { 'max-size': '10m' } });
  checkLog({ driver: 'json-file', options: { 'max-size': '-1' } });
});

test('the daemon says what a container logs with unless it says so itself', () => {
  const daemon = { driver: 'local', options: { 'max-size': '1m', tag: 'x' } };
  assert.deepEqual(chooseLog({ driver: '', options: {} }, daemon), daemon);
  assert.deepEqual(chooseLog({ driver: 'local', options: { 'max-size': '2m' } }, daemon), {
    driver: 'local',
    options: { 'max-size': '2m', tag: 'x' },
  });
  assert.deepEqual(chooseLog({ driver: 'none', options: {} }, daemon), { driver: 'none', options: {} });
});
