import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { it } from 'node:test';
import { identifyProcess, isAlive, processEnd, signalProcess } from './process-watch.ts';

it('processEnd resolves when the process ends, and at once when it is gone', async () => {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  const identity = await identifyProcess(Number(child.pid));
  assert.ok(identity);
  assert.equal(await isAlive(identity), true);
  const ended = processEnd(identity);
  child.stdin.end();
  await ended;
  assert.equal(await isAlive(identity), false);
  assert.equal(signalProcess(identity, 9), false);
  await processEnd(identity);
});

it('a process that has the pid of another is not taken for it', async () => {
  const own = await identifyProcess(process.pid);
  assert.ok(own);
  const other = { ...own, startTicks: own.startTicks - 1 };
  assert.equal(await isAlive(other), false);
  assert.equal(signalProcess(other, 0), false);
  await processEnd(other);
  assert.equal(signalProcess(own, 0), true);
});
