import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memorySize } from './memory-size.ts';

describe('sizes of memory', () => {
  const cases: Array<[string, number]> = [
    ['1024', 1024],
    ['64m', 67108864],
    ['1.5 GiB', 1610612736],
    ['10KB', 10240],
    ['1e3', 1000],
    ['100b', 100],
  ];
  for (const [text, bytes] of cases) test(`${text} is ${bytes} bytes`, () => assert.equal(memorySize(text), bytes));
  const faults: Array<[string, string]> = [
    ['', "invalid size: ''"],
    ['str', "invalid size: 'str'"],
    ['-5', "invalid size: '-5'"],
    ['10s', "invalid suffix: 's'"],
    ['1Bytes', "invalid suffix: 'Bytes'"],
    ['1:2', 'strconv.ParseFloat: parsing "1:2": invalid syntax'],
  ];
  for (const [text, message] of faults) {
    test(`${JSON.stringify(text)} is refused as docker compose refuses it`, () => {
      assert.throws(() => memorySize(text), { message });
    });
  }
});
