import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asActor } from '#base';
import { openDatabase } from '#metadata';
import { engineMigrations } from '../schema.ts';
import type { EngineEvent } from './events.ts';
import { createJournal } from './journal.ts';

const open = (keep = 100) => {
  const database = openDatabase(':memory:', engineMigrations);
  return { database, journal: createJournal({ database, keep }) };
};
const never = new AbortController().signal;

test('past events come first, then live ones, once each, until the reader goes', async () => {
  const { journal } = open();
  journal.publish('container', 'create', 'a');
  const reader = new AbortController();
  const seen: string[] = [];
  for await (const event of journal.read({ since: 0n, filters: {}, signal: reader.signal })) {
    seen.push(event.action);
    if (seen.length === 1) journal.publish('container', 'start', 'a');
    if (seen.length === 2) reader.abort();
  }
  assert.deepEqual(seen, ['create', 'start']);
  assert.equal(journal.listeners, 0);
});

test('times are never the same twice, and actor and attributes come back from disk', async () => {
  const { database, journal } = open();
  asActor({ via: 'api', uid: 7 }, () => {
    for (let count = 0; count < 50; count++) journal.publish('volume', 'create', `v${count}`, { driver: 'local' });
  });
  journal.flush();
  const again = createJournal({ database });
  const events: EngineEvent[] = [];
  for await (const event of again.read({ since: 0n, until: 2n, filters: {}, signal: never })) events.push(event);
  assert.equal(events.length, 0);
  const query = { since: 0n, until: BigInt(Date.now() + 1) * 1_000_000n, filters: {}, signal: never };
  for await (const event of again.read(query)) events.push(event);
  assert.equal(new Set(events.map((event) => event.timeNano)).size, 50);
  assert.deepEqual([events[0]?.attributes, events[0]?.actor], [{ driver: 'local' }, { via: 'api', uid: 7 }]);
});

test('keeps a bounded number of events', () => {
  const { database, journal } = open(20);
  for (let count = 0; count < 100; count++) journal.publish('image', 'pull', `i${count}`);
  journal.flush();
  assert.equal(database.get<{ n: number }>('SELECT count(*) AS n FROM engine_events')?.n, 20);
});

test('filters choose by type, action, object and label', async () => {
  const { journal } = open();
  journal.publish('container', 'exec_start: ls', 'abcdef', { name: 'web', image: 'app:1', tier: 'front' });
  journal.publish('network', 'connect', 'n1', { name: 'bridge', container: 'abcdef' });
  const count = async (filters: Record<string, string[]>) => {
    let found = 0;
    const until = BigInt(Date.now() + 5) * 1_000_000n;
    for await (const _ of journal.read({ since: 0n, until, filters, signal: never })) found++;
    return found;
  };
  assert.equal(await count({ type: ['container'] }), 1);
  assert.equal(await count({ event: ['exec_start'] }), 1);
  assert.equal(await count({ container: ['web'] }), 1);
  assert.equal(await count({ container: ['abc'], label: ['tier=front'] }), 1);
  assert.equal(await count({ image: ['app'] }), 1);
  assert.equal(await count({ label: ['tier=back'] }), 0);
});
