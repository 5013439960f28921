import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isBerthError } from '#base';
import { parseSignal, signalName } from './signals.ts';

it('parseSignal reads numbers, names and real-time signals', () => {
  const cases = { '9': 9, KILL: 9, SIGKILL: 9, sigterm: 15, RTMIN: 34, 'SIGRTMIN+3': 37, 'RTMAX-1': 63 };
  for (const [text, number] of Object.entries(cases)) assert.equal(parseSignal(text), number, text);
});

it('parseSignal refuses what is no signal', () => {
  for (const text of ['', '0', '99', 'FOO', 'RTMIN-1', 'RTMAX+1', '-9']) {
    assert.throws(
      () => parseSignal(text),
      (error) => isBerthError(error, 'invalid'),
      text,
    );
  }
});

it('signalName names signals', () => {
  assert.deepEqual([9, 37, 63].map(signalName), ['SIGKILL', 'SIGRTMIN+3', 'SIGRTMIN+29']);
});
