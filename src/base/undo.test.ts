import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyedLock, Semaphore } from './locks.ts';
import { UndoStack, withUndo } from './undo.ts';

describe('UndoStack', () => {
  test('rolls back last first, goes on past errors and hands them back', async () => {
    const done: string[] = [];
    const undo = new UndoStack();
    undo.push(() => void done.push('a'));
    undo.push(() => {
      throw new Error('b cannot');
    });
    undo.push(async () => void done.push('c'));
    const errors = await undo.rollback();
    assert.deepEqual(done, ['c', 'a']);
    assert.deepEqual(errors.map(String), ['Error: b cannot']);
    assert.deepEqual(await undo.rollback(), []);
  });

  test('withUndo rethrows the error of its body after the roll-back', async () => {
    let undone = false;
    const failing = withUndo(async (undo) => {
      undo.push(() => {
        undone = true;
      });
      throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    assert.ok(undone);
  });
});

describe('KeyedLock', () => {
  test('runs tasks of one key in order and those of another at once', async () => {
    const lock = new KeyedLock();
    const order: string[] = [];
    let release = () => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const a1 = lock.run('a', async () => {
      await first;
      order.push('a1');
      throw new Error('a1 fails');
    });
    const a2 = lock.run('a', async () => order.push('a2'));
    await lock.run('b', async () => order.push('b'));
    release();
    await assert.rejects(a1);
    await a2;
    assert.deepEqual(order, ['b', 'a1', 'a2']);
  });
});

describe('Semaphore', () => {
  test('lets no more than its limit run', async () => {
    const semaphore = new Semaphore(2);
    let running = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    await Promise.all(Array.from({ length: 7 }, () => semaphore.run(task)));
    assert.equal(most, 2);
  });
});
