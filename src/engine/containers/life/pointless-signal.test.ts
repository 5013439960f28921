import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeStatus } from './pointless-signal.ts';

const status = (nspid: string, blocked: bigint, caught: bigint) => {
  const hex = (mask: bigint) => mask.toString(16).padStart(16, '0');
  return `Name:\tsleep\nNSpid:\t${nspid}\nSigBlk:\t${hex(blocked)}\nSigCgt:\t${hex(caught)}\n`;
};
const term = 1n << 14n;

describe('judgeStatus', () => {
  test('a signal that pid 1 of a namespace neither handles nor blocks is pointless', () => {
    assert.match(judgeStatus(status('4711\t1', 0n, 0n), 15) ?? '', /neither handles nor blocks/);
  });
  test('a handled or blocked signal, another pid or no namespace is not', () => {
    assert.equal(judgeStatus(status('4711\t1', 0n, term), 15), undefined);
    assert.equal(judgeStatus(status('4711\t1', term, 0n), 15), undefined);
    assert.equal(judgeStatus(status('4711\t7', 0n, 0n), 15), undefined);
    assert.equal(judgeStatus(status('1', 0n, 0n), 15), undefined);
  });
});
