import { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { endSoon, ownConnection } from '../../src/persistence/own-connection.js';
import { createDatabase, type TestDatabase } from '../support/test-app.js';

describe('a connection outside the pool', () => {
  let database: TestDatabase;
  let source: DataSource;

  beforeAll(async () => {
    database = await createDatabase();
    const { hostname, port, username, password, pathname } = new URL(database.url);
    source = await new DataSource({
      type: 'postgres',
      host: hostname,
      port: Number(port),
      username,
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      applicationName: 'some app',
    }).initialize();
  });
  afterEach(() => void jest.restoreAllMocks());
  afterAll(async () => {
    await source?.destroy();
    await database?.drop();
  });

  it('signs in as the pool does, and is kept alive, so that a server that vanished is noticed', async () => {
    const keepAlive = jest.spyOn(Socket.prototype, 'setKeepAlive');
    const connection = ownConnection(source);
    await connection.connect();
    try {
      const { rows } = await connection.query(`SELECT current_setting('application_name') AS name`);
      expect(rows).toEqual([{ name: 'some app' }]);
      expect(keepAlive).toHaveBeenCalledWith(true, 30_000);
    } finally {
      await endSoon(connection);
    }
  });
});
