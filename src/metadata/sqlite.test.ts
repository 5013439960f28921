import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Migration } from './database.ts';
import { openDatabase } from './sqlite.ts';

const one: Migration = { room: 'toy', version: 1, sql: 'CREATE TABLE toy_things (name TEXT PRIMARY KEY)' };
const two: Migration = { room: 'toy', version: 2, sql: 'ALTER TABLE toy_things ADD COLUMN size INTEGER' };

describe('openDatabase', () => {
  let path: string;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'metadata-')), 'test.db');
  });
  afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }));

  test('runs each migration once, also when a later version brings more', () => {
    const old = openDatabase(path, [one]);
    old.run('INSERT INTO toy_things VALUES (?)', 'ball');
    old.close();
    const database = openDatabase(path, [two, one]);
    assert.deepEqual(database.all('SELECT * FROM toy_things'), [{ name: 'ball', size: null }]);
    database.close();
  });

  test('refuses a schema that a newer version wrote, naming file and versions', () => {
    openDatabase(path, [one, two]).close();
    assert.throws(() => openDatabase(path, [one]), /toy tables have version 2, this berthd knows up to 1/);
  });

  test('a transaction that finds the disk full says so, changes nothing, and the next one works', () => {
    const database = openDatabase(path, [one]);
    // The limit makes SQLite answer as a full disk does, with the roll-back that it does by itself.
    database.all('PRAGMA max_page_count = 20');
    const add = (name: string) => database.transaction(() => database.run('INSERT INTO toy_things VALUES (?)', name));
    assert.throws(() => add('x'.repeat(200_000)), { kind: 'unavailable', message: /disk of the data root is full/ });
    add('ball');
    assert.deepEqual(database.all('SELECT * FROM toy_things'), [{ name: 'ball' }]);
    database.close();
  });

  test('a failed migration changes nothing', () => {
    const bad: Migration = { room: 'toy', version: 2, sql: 'CREATE TABLE toy_more (a); nonsense' };
    assert.throws(() => openDatabase(path, [one, bad]));
    const database = openDatabase(path, [one]);
    assert.equal(database.get('SELECT * FROM sqlite_master WHERE name = ?', 'toy_more'), undefined);
    database.close();
  });

  test('a transaction that throws leaves nothing, nested ones join the outer', () => {
    const database = openDatabase(path, [one]);
    assert.throws(() =>
      database.transaction(() => {
        database.transaction(() => database.run('INSERT INTO toy_things VALUES (?)', 'ball'));
        throw new Error('changed my mind');
      }),
    );
    assert.deepEqual(database.all('SELECT * FROM toy_things'), []);
    assert.equal(database.run('INSERT INTO toy_things VALUES (?)', 'ball').changes, 1);
    assert.deepEqual(database.get('SELECT * FROM toy_things'), { name: 'ball' });
    database.close();
  });
});
