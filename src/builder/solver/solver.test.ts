import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ResultCache, type SolveOptions, solve, type Vertex } from './solver.ts';

class Journal {
  readonly lines: string[] = [];
}

interface FakeOptions {
  key?: string;
  run?: (signal: AbortSignal) => Promise<void>;
}

function vertex(
  journal: Journal,
  name: string,
  inputs: Vertex<string>[] = [],
  options: FakeOptions = {},
): Vertex<string> {
  return {
    inputs,
    cacheKey: async () => options.key,
    async run(results, signal) {
      journal.lines.push(`run ${name}(${results.join(',')})`);
      await options.run?.(signal);
      return name;
    },
    restore: (cached) => cached,
    onStart: () => journal.lines.push(`start ${name}`),
    onDone: (_, cached) => journal.lines.push(`${cached ? 'cached' : 'done'} ${name}`),
    onFail: () => journal.lines.push(`fail ${name}`),
  };
}

class MapCache implements ResultCache<string> {
  readonly map = new Map<string, string>();
  async find(key: string) {
    return this.map.get(key);
  }
  async store(key: string, result: string) {
    this.map.set(key, result);
  }
}

function options(extra: Partial<SolveOptions<string>> = {}): SolveOptions<string> {
  return { cache: undefined, parallel: 4, signal: new AbortController().signal, ...extra };
}

test('solve runs inputs first, each vertex once, and hands their results on in order', async () => {
  const journal = new Journal();
  const base = vertex(journal, 'base');
  const left = vertex(journal, 'left', [base]);
  const right = vertex(journal, 'right', [base]);
  const top = vertex(journal, 'top', [right, left]);
  assert.deepEqual(await solve([top], options()), ['top']);
  const runs = journal.lines.filter((line) => line.startsWith('run'));
  assert.equal(runs[0], 'run base()');
  assert.equal(runs[3], 'run top(right,left)');
  assert.equal(runs.length, 4);
});

test('solve runs independent vertices at the same time', async () => {
  const journal = new Journal();
  let waiting = 0;
  let release = () => {};
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  const meet = async () => {
    if (++waiting === 2) release();
    await both;
  };
  const vertices = ['a', 'b'].map((name) => vertex(journal, name, [], { run: meet }));
  assert.deepEqual(await solve([vertex(journal, 'top', vertices)], options()), ['top']);
});

test('solve never runs more vertices than allowed at a time', async () => {
  const journal = new Journal();
  let running = 0;
  let most = 0;
  const run = async () => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
  };
  const vertices = ['a', 'b', 'c', 'd', 'e'].map((name) => vertex(journal, name, [], { run }));
  await solve(vertices, options({ parallel: 2 }));
  assert.equal(most, 2);
});

test('solve takes results from the cache and stores new ones', async () => {
  const cache = new MapCache();
  const journal = new Journal();
  const graph = () => vertex(journal, 'b', [vertex(journal, 'a', [], { key: 'ka' })], { key: 'kb' });
  await solve([graph()], options({ cache }));
  await solve([graph()], options({ cache }));
  assert.deepEqual(journal.lines.slice(-4), ['start a', 'cached a', 'start b', 'cached b']);
  assert.equal(journal.lines.filter((line) => line.startsWith('run')).length, 2);
});

test('solve without a cache runs everything again', async () => {
  const journal = new Journal();
  for (let round = 0; round < 2; round++) await solve([vertex(journal, 'a', [], { key: 'ka' })], options());
  assert.equal(journal.lines.filter((line) => line === 'run a()').length, 2);
});

test('solve stops the others at the first failure, waits for them, and rejects with that failure', async () => {
  const journal = new Journal();
  let ended = false;
  const slow = vertex(journal, 'slow', [], {
    run: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended = true;
          reject(new Error('stopped'));
        });
      }),
  });
  const bad = vertex(journal, 'bad', [], { run: () => Promise.reject(new Error('broken')) });
  await assert.rejects(solve([vertex(journal, 'top', [slow, bad])], options()), { message: 'broken' });
  assert.ok(ended);
  assert.ok(journal.lines.includes('fail bad'));
  assert.ok(!journal.lines.some((line) => line.includes('top') || line === 'fail slow'));
});

test('solve rejects as canceled when its signal aborts, also for work that has not begun', async () => {
  const journal = new Journal();
  const abort = new AbortController();
  const first = vertex(journal, 'first', [], { run: async () => abort.abort() });
  const promise = solve([vertex(journal, 'second', [first])], options({ signal: abort.signal }));
  await assert.rejects(promise, { kind: 'canceled' });
  assert.ok(!journal.lines.includes('run second(first)'));
});

test('solve prepares a vertex while its inputs still run', async () => {
  const journal = new Journal();
  let prepared = () => {};
  const ready = new Promise<void>((resolve) => {
    prepared = resolve;
  });
  const input = vertex(journal, 'input', [], { run: () => ready });
  const top: Vertex<string> = { ...vertex(journal, 'top', [input]), prepare: async () => prepared() };
  assert.deepEqual(await solve([top], options()), ['top']);
});
