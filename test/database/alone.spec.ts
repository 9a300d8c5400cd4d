import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { alone } from '../../src/persistence/advisory-lock.js';
import { sleep } from '../engine/support/client.js';
import { createDatabase, type TestDatabase } from '../support/test-app.js';

/** Work that one process of several does. */
describe('alone', () => {
  let database: TestDatabase;
  let source: DataSource;
  let other: DataSource;

  beforeAll(async () => {
    database = await createDatabase();
    // A session that waits in a transaction is ended soon, as some providers have it.
    const url = `${database.url}?options=${encodeURIComponent('-c idle_in_transaction_session_timeout=300')}`;
    const open = () => new DataSource({ type: 'postgres', url, poolSize: 1 }).initialize();
    [source, other] = await Promise.all([open(), open()]);
  });
  afterEach(async () => {
    // Nobody keeps a lock or a connection.
    const sessions = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`;
    expect(await source.query(sessions)).toEqual([]);
  });
  afterAll(async () => {
    await Promise.all([source?.destroy(), other?.destroy()]);
    await database?.drop();
  });

  const answer = async (from: DataSource) =>
    (await from.query<{ answer: number }[]>('SELECT 42 AS answer'))[0]?.answer;

  it('takes nothing from the pool: a pool of one serves the work of many', async () => {
    const names = ['one', 'two', 'three'];
    const works = names.map((name) => alone(source, name, () => answer(source)));
    expect(await Promise.all(works)).toEqual([42, 42, 42]);
  });

  it('keeps others out for as long as the work takes, and not longer', async () => {
    const result = await alone(source, 'one', async () => {
      expect(await alone(other, 'one', () => answer(other))).toBeNull();
      expect(await alone(other, 'two', () => answer(other))).toBe(42);
      await sleep(600);
      expect(await alone(other, 'one', () => answer(other))).toBeNull();
      return 'done';
    });
    expect(result).toBe('done');
    expect(await alone(other, 'one', () => answer(other))).toBe(42);
  });

  it('passes on what the work throws, and is over then', async () => {
    const work = () => Promise.reject(new Error('of the work'));
    await expect(alone(source, 'one', work)).rejects.toThrow('of the work');
    expect(await alone(other, 'one', () => answer(other))).toBe(42);
  });

  it('locks in a transaction, which poolers keep together, and which holds up no vacuum', async () => {
    const sql = `SELECT state, backend_xid, backend_xmin FROM pg_stat_activity
      JOIN pg_locks USING (pid)
      JOIN pg_database ON pg_database.oid = pg_locks.database
      WHERE locktype = 'advisory' AND pg_database.datname = current_database()`;
    const sessions = await alone(source, 'one', () => other.query<Record<string, unknown>[]>(sql));
    expect(sessions).toEqual([{ state: 'idle in transaction', backend_xid: null, backend_xmin: null }]);
  });
});
