import type { DataSource } from 'typeorm';
import { answered } from './database-deadline.js';
import { databaseFailure } from './database-failure.js';
import { endSoon, type OwnConnection, ownConnection } from './own-connection.js';

/**
 * Runs `work` unless another process of the same database runs work of the same name: then null. A lock of PostgreSQL on a
 * connection of its own: it is gone with the connection, however this process ends.
 * @throws UploadError `database_unavailable`; what the work throws.
 */
export async function alone<Result>(
  dataSource: DataSource,
  name: string,
  work: () => Promise<Result>,
): Promise<Result | null> {
  const connection = ownConnection(dataSource);
  // Its loss costs the lock, not the work, which another process may then begin as well.
  connection.on('error', () => undefined);
  try {
    if (!(await hasLocked(connection, name))) return null;
    try {
      return await work();
    } finally {
      // A connection that is closed gives its lock back a moment later, when the next in line may have asked already.
      await answered(connection.query('COMMIT')).catch(() => undefined);
    }
  } finally {
    await endSoon(connection);
  }
}

/**
 * Takes the lock for a transaction, not for the session: a pooler that shares sessions between transactions would unlock in
 * another one than it locked in.
 */
async function hasLocked(connection: OwnConnection, name: string): Promise<boolean> {
  try {
    await answered(connection.connect());
    await answered(connection.query('BEGIN ISOLATION LEVEL READ COMMITTED'));
    const sql = 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked';
    const { rows } = await answered(connection.query(sql, [name]));
    // After it, as it makes PostgreSQL forget that statement, whose snapshot would hold up VACUUM all the time.
    await answered(connection.query('SET LOCAL idle_in_transaction_session_timeout = 0'));
    return rows[0]?.locked === true;
  } catch (error) {
    throw databaseFailure(error);
  }
}
