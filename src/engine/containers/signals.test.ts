import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signalNumber } from './signals.ts';

test('signalNumber reads numbers, names with and without SIG, and real-time signals', () => {
  const cases = { 9: 9, KILL: 9, sigterm: 15, SIGHUP: 1, 'RTMIN+3': 37, 'SIGRTMAX-1': 63, RTMIN: 34 };
  for (const [text, number] of Object.entries(cases)) assert.equal(signalNumber(text), number);
  for (const text of ['', '0', '65', 'FOO', 'RTMIN+99', '-1']) {
    assert.throws(() => signalNumber(text), { message: `invalid signal: ${text}` });
  }
});
