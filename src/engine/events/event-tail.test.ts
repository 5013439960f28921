import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openDatabase } from '#metadata';
import { engineMigrations } from '../schema.ts';
import type { EngineEvent } from './events.ts';
import { createJournal, type Journal } from './journal.ts';

const never = new AbortController().signal;
const until = 2n ** 62n;

async function past(journal: Journal): Promise<EngineEvent[]> {
  const events: EngineEvent[] = [];
  const ended = new AbortController();
  setImmediate(() => ended.abort());
  for await (const event of journal.read({ since: 0n, until, filters: {}, signal: ended.signal })) events.push(event);
  return events;
}

describe('events that wait for the database', () => {
  const place = () => {
    const directory = mkdtempSync(join(tmpdir(), 'engine-tail-'));
    const tail = join(directory, 'tail');
    const database = openDatabase(':memory:', engineMigrations);
    return {
      tail,
      database,
      open: () => createJournal({ database, tail }),
      [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
    };
  };

  it('are there after the process was killed before it wrote them', async () => {
    using at = place();
    at.open().publish('container', 'attach', 'a', { name: 'web' });
    await nextTurn();
    const events = await past(at.open());
    assert.deepEqual(
      events.map(({ action, id, attributes }) => [action, id, attributes]),
      [['attach', 'a', { name: 'web' }]],
    );
  });

  it('are known to the file before a reader gets them', async () => {
    using at = place();
    const journal = at.open();
    const reading = new AbortController();
    const reader = journal.read({ filters: {}, signal: reading.signal })[Symbol.asyncIterator]();
    const first = reader.next();
    await nextTurn();
    journal.publish('container', 'top', 'a');
    await first;
    assert.match(readFileSync(at.tail, 'utf8'), /"top"/);
    reading.abort();
    await reader.next();
  });

  it('are not told twice when the file still has what the database has', async () => {
    using at = place();
    const journal = at.open();
    journal.publish('container', 'attach', 'a');
    await nextTurn();
    const text = readFileSync(at.tail, 'utf8');
    journal.flush();
    await nextTurn();
    assert.equal(readFileSync(at.tail, 'utf8'), '');
    appendFileSync(at.tail, text);
    assert.equal((await past(at.open())).length, 1);
  });

  it('are read around a line that was cut short', async () => {
    using at = place();
    appendFileSync(at.tail, '\n{"type":"conta');
    at.open().publish('container', 'attach', 'a');
    await nextTurn();
    assert.equal((await past(at.open())).length, 1);
  });

  it('do not touch the file when a change of state takes them along', async () => {
    using at = place();
    const journal = at.open();
    journal.publish('container', 'start', 'a');
    at.database.transaction(() => journal.flush());
    await nextTurn();
    assert.equal(readFileSync(at.tail, 'utf8'), '');
  });

  it('of an earlier moment have its time, but never before what was announced', async () => {
    using at = place();
    const journal = at.open();
    journal.at(5).publish('container', 'die', 'a');
    journal.at(3).publish('container', 'die', 'b');
    const times: bigint[] = [];
    for await (const event of journal.read({ since: 0n, until: 1n << 40n, filters: {}, signal: never })) {
      times.push(event.timeNano);
    }
    assert.deepEqual(times, [5_000_000n, 5_000_001n]);
  });
});
