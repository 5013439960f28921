import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseByteSize, parseDuration } from './units.ts';

describe('parseByteSize', () => {
  for (const [text, bytes] of [
    ['512', 512],
    ['0', 0],
    ['64k', 65536],
    ['64KB', 65536],
    ['1.5GiB', 1610612736],
    ['2gb', 2147483648],
    ['10 M', 10485760],
    ['1b', 1],
  ] as const) {
    test(`reads ${text}`, () => assert.equal(parseByteSize(text), bytes));
  }
  for (const text of ['', 'k', '-1', '1x', '1e3', '1 0', '0x10']) {
    test(`refuses "${text}"`, () => assert.throws(() => parseByteSize(text), /invalid size/));
  }
});

describe('parseDuration', () => {
  for (const [text, ns] of [
    ['0', 0],
    ['1s', 1e9],
    ['1h30m', 5400e9],
    ['500ms', 5e8],
    ['1.5s', 15e8],
    ['10us', 1e4],
    ['-2s', -2e9],
  ] as const) {
    test(`reads ${text}`, () => assert.equal(parseDuration(text), ns));
  }
  for (const text of ['', '1', 's', '1s2', '1 s', '5d']) {
    test(`refuses "${text}"`, () => assert.throws(() => parseDuration(text), /invalid duration/));
  }
});
