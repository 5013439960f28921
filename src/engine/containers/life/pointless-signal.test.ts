import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeStatus, mayTakeSignals } from './pointless-signal.ts';

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

describe('mayTakeSignals', () => {
  test('is true in sigtimedwait, and where its number is not known', () => {
    assert.equal(mayTakeSignals('128 0x7fff 0x0\n', 'x64'), true);
    assert.equal(mayTakeSignals('137 0x7fff 0x0\n', 'arm64'), true);
    assert.equal(mayTakeSignals('230 0x0 0x0\n', 's390x'), true);
  });
  test('is false in another call and while running', () => {
    assert.equal(mayTakeSignals('230 0x0 0x0\n', 'x64'), false);
    assert.equal(mayTakeSignals('running\n', 'x64'), false);
    assert.equal(mayTakeSignals('-1 0x0 0x0\n', 'x64'), false);
  });
});
