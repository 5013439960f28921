import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { enterPrivateMounts, RuntimeFixture } from '#testkit';
import type { LogLine, LogQuery } from '../runtime.ts';
import { rotatedPath } from './log-files.ts';
import { LogRotator } from './log-rotator.ts';
import { readLog } from './read-log.ts';

enterPrivateMounts();

const all: LogQuery = { stdout: true, stderr: true };
const at = (second: number): string => `2026-01-02T03:04:${String(second).padStart(2, '0')}.000000005+00:00`;
const line = (second: number, text: string, stream = 'stdout', tag = 'F'): string =>
  `${at(second)} ${stream} ${tag} ${text}\n`;
const base = BigInt(Date.parse('2026-01-02T03:04:00Z')) * 1_000_000n;

async function texts(path: string, query: LogQuery): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of readLog(path, query)) found.push(...batch.map((one) => one.text.toString()));
  return found;
}

describe('readLog', () => {
  let directory: string;
  let path: string;
  before(async () => {
    directory = await mkdtemp('/tmp/berth-runtime-log-');
  });
  beforeEach(() => {
    path = join(directory, `log-${Math.random().toString(36).slice(2)}`);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('is empty where there is no log', async () => {
    assert.deepEqual(await texts(path, all), []);
  });

  it('gives time, stream, text and whether a line is partial', async () => {
    await writeFile(path, line(1, 'a b', 'stderr', 'P') + line(2, ''));
    const lines: LogLine[] = [];
    for await (const batch of readLog(path, all)) lines.push(...batch);
    const plain = lines.map(({ time, stream, partial, text }) => ({ time, stream, partial, text: text.toString() }));
    assert.deepEqual(plain, [
      { time: at(1), stream: 'stderr', partial: true, text: 'a b' },
      { time: at(2), stream: 'stdout', partial: false, text: '' },
    ]);
  });

  it('chooses by stream and time', async () => {
    await writeFile(path, [1, 2, 3, 4].map((n) => line(n, `n${n}`, n % 2 ? 'stdout' : 'stderr')).join(''));
    assert.deepEqual(await texts(path, { stdout: false, stderr: true }), ['n2', 'n4']);
    const window = { ...all, since: base + 2_000_000_000n, until: base + 3_500_000_000n };
    assert.deepEqual(await texts(path, window), ['n2', 'n3']);
  });

  it('reads rotated files oldest first, and the tail across them', async () => {
    await writeFile(rotatedPath(path, 2), line(1, 'one') + line(2, 'two'));
    await writeFile(rotatedPath(path, 1), line(3, 'three'));
    await writeFile(path, line(4, 'four') + line(5, 'five'));
    assert.deepEqual(await texts(path, all), ['one', 'two', 'three', 'four', 'five']);
    for (const [tail, first] of [
      [0, 5],
      [1, 4],
      [2, 3],
      [3, 2],
      [4, 1],
      [9, 0],
    ] as const) {
      assert.deepEqual(await texts(path, { ...all, tail }), ['one', 'two', 'three', 'four', 'five'].slice(first));
    }
  });

  it('finds the tail of a log larger than its blocks, and lines longer than its chunks', async () => {
    const long = 'x'.repeat(3_000_000);
    await writeFile(path, Array.from({ length: 20_000 }, (_, n) => line(1, `line ${n}`)).join('') + line(2, long));
    const tail = await texts(path, { ...all, tail: 15_000 });
    assert.equal(tail.length, 15_000);
    assert.equal(tail[0], 'line 5001');
    assert.equal(tail.at(-1), long);
  });

  it('follows what is written, across a rotation, until it ended', async () => {
    await writeFile(path, line(1, 'first'));
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const found: string[] = [];
    for await (const batch of readLog(path, { ...all, follow: { ended } })) {
      found.push(...batch.map((one) => one.text.toString()));
      if (found.length === 1) await appendFile(path, line(2, 'second'));
      if (found.length === 2) {
        await appendFile(path, line(3, 'third'));
        await rename(path, rotatedPath(path, 1));
        await writeFile(path, line(4, 'fourth'));
      }
      if (found.length === 4) {
        await appendFile(path, line(5, 'last'));
        end();
      }
    }
    assert.deepEqual(found, ['first', 'second', 'third', 'fourth', 'last']);
  });

  it('stops following when aborted', async () => {
    await writeFile(path, line(1, 'first'));
    const abort = new AbortController();
    const never = new Promise(() => {});
    for await (const _ of readLog(path, { ...all, follow: { ended: never }, signal: abort.signal })) abort.abort();
  });
});

describe('a log that rotates', () => {
  it('loses no line while the container writes, and keeps only so many files', async () => {
    const fixture = await RuntimeFixture.create();
    try {
      const logPath = join(fixture.directory, 'log');
      const task = await fixture.create(['sh', '-c', 'i=0; while read x; do echo line $i; i=$((i+1)); done'], {
        stdin: true,
        stdinOnce: true,
        logPath,
        logRotation: { maxBytes: 1_000_000, maxFiles: 3 },
      });
      const attachment = await task.attach();
      await task.start();
      await attachment.write(Buffer.from('\n'));
      const rotator = new LogRotator({
        path: logPath,
        maxBytes: Number.MAX_SAFE_INTEGER,
        maxFiles: 3,
        reopen: () => Reflect.get(task, 'control').call(task, '2 0 0\n'),
        logger: { debug() {}, info() {}, warn() {}, error() {} },
      });
      const found: string[] = [];
      let lines = 0;
      for await (const batch of readLog(logPath, { ...all, follow: { ended: task.exit } })) {
        found.push(...batch.map((one) => one.text.toString()));
        lines = found.length;
        if (lines === 2) await rotator.rotate();
        if (lines < 4) await attachment.write(Buffer.from('\n'));
        else attachment.endInput();
      }
      rotator.stop();
      assert.deepEqual(found, ['line 0', 'line 1', 'line 2', 'line 3']);
      attachment.close();
    } finally {
      await fixture.dispose();
    }
  });
});
