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
  const faults: Array<[string, string]> = [
    ['foo', 'time: invalid duration "foo"'],
    ['', 'time: invalid duration ""'],
    ['.s', 'time: invalid duration ".s"'],
    ['5', 'time: missing unit in duration "5"'],
    ['1.5.', 'time: missing unit in duration "1.5."'],
    ['1x', 'time: unknown unit "x" in duration "1x"'],
    ['1s foo', 'time: unknown unit "s foo" in duration "1s foo"'],
  ];
  for (const [text, message] of faults) {
    test(`${JSON.stringify(text)} is refused with Go's words`, () => {
      assert.throws(() => canonicalDuration(text), { message });
    });
  }
  test('nanoseconds are exact', () => assert.equal(nanosecondsOf('1m30s'), 90_000_000_000));
});
