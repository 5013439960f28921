import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isBerthError, silentLogger } from '#base';
import { postgresPrograms, TestPostgres } from '../postgres-fixture.test.ts';
import { PostgresLocks } from './postgres-locks.ts';

describe('locks in PostgreSQL', {
  skip: postgresPrograms() === undefined && 'no PostgreSQL server is installed',
}, () => {
  let server: TestPostgres;
  let first: PostgresLocks;
  let second: PostgresLocks;
  before(async () => {
    server = await TestPostgres.start();
    const url = await server.database();
    first = new PostgresLocks(url, silentLogger);
    second = new PostgresLocks(url, silentLogger);
  });
  after(async () => {
    await first.close();
    await second.close();
    await server[Symbol.asyncDispose]();
  });

  it('one task at a time over two servers, and tasks may nest', async () => {
    let running = 0;
    const task = async () => {
      running += 1;
      assert.equal(running, 1);
      await new Promise(setImmediate);
      running -= 1;
    };
    const tasks = Array.from({ length: 40 }, (_, index) => {
      const locks = index % 2 === 0 ? first : second;
      return locks.run(`outer ${index}`, () => locks.run('inner', task));
    });
    await Promise.all(tasks);
  });

  it('who does not wait is refused while another server has the key, and gets it afterwards', async () => {
    await first.run('key', async () => {
      const refused = second.run('key', async () => 'never', { wait: false });
      await assert.rejects(refused, (error) => isBerthError(error, 'conflict'));
      assert.equal(await second.run('another', async () => 'yes', { wait: false }), 'yes');
    });
    assert.equal(await second.run('key', async () => 'now', { wait: false }), 'now');
  });

  it('a server that is gone holds nothing up', async () => {
    const third = new PostgresLocks(await server.database(), silentLogger);
    await third.run('gone', () => third.close());
    assert.equal(await third.run('gone', async () => 'again'), 'again');
    await third.close();
  });
});
