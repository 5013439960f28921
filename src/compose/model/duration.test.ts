import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalDuration, nanosecondsOf } from './duration.ts';

describe('durations', () => {
  const cases: Array<[string, string]> = [
    ['90s', '1m30s'],
    ['120s', '2m0s'],
    ['1.5h', '1h30m0s'],
    ['1d2h', '26h0m0s'],
    ['100ms', '100ms'],
    ['1500us', '1.5ms'],
    ['0', '0s'],
    ['-5s', '-5s'],
    ['1.000000001s', '1.000000001s'],
  ];
  for (const [text, canonical] of cases) {
    test(`${text} is ${canonical}`, () => assert.equal(canonicalDuration(text), canonical));
  }
  for (const text of ['foo', '', '5', '1x', '.s', '1s foo']) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => canonicalDuration(text), /time: invalid duration/);
    });
  }
  test('nanoseconds are exact', () => assert.equal(nanosecondsOf('1m30s'), 90_000_000_000));
});
