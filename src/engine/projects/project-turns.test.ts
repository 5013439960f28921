import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProjectTurns } from './project-turns.ts';

/** Takes a turn and writes down what it is told. */
function client(turns: ProjectTurns, log: string[], by: string, ends = false): AbortController {
  const controller = new AbortController();
  turns.take('app', {
    by,
    ends,
    waiting: (holder) => log.push(`${by} waits for ${holder}`),
    granted: () => log.push(`${by} begins`),
    asked: (other) => log.push(`${by} is asked by ${other}`),
    signal: controller.signal,
  });
  return controller;
}

test('who changes a project does so after those who came before, and one who leaves the queue holds nobody up', () => {
  const turns = new ProjectTurns();
  const log: string[] = [];
  const first = client(turns, log, 'first');
  const second = client(turns, log, 'second');
  const third = client(turns, log, 'third');
  second.abort();
  first.abort();
  third.abort();
  client(turns, log, 'fourth');
  assert.deepEqual(log, [
    'first begins',
    'second waits for first',
    'third waits for first',
    'third begins',
    'fourth begins',
  ]);
});

test('who makes the work of the others pointless asks them to end, but not another such', () => {
  const turns = new ProjectTurns();
  const log: string[] = [];
  const up = client(turns, log, 'up');
  client(turns, log, 'down', true);
  client(turns, log, 'down again', true);
  up.abort();
  assert.deepEqual(log, [
    'up begins',
    'down waits for up',
    'up is asked by down',
    'down again waits for up',
    'up is asked by down again',
    'down begins',
  ]);
});
