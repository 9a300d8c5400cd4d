import type { DataSource } from 'typeorm';

/**
 * Runs `work` unless another process of the same database runs work of the same name: then null. A session lock of
 * PostgreSQL on a connection of its own: it is gone with the connection, however this process ends.
 */
export async function alone<Result>(
  dataSource: DataSource,
  name: string,
  work: () => Promise<Result>,
): Promise<Result | null> {
  const connection = dataSource.createQueryRunner();
  try {
    const sql = 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked';
    const [row] = (await connection.query(sql, [name])) as { locked: boolean }[];
    if (!row?.locked) return null;
    try {
      return await work();
    } finally {
      await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]);
    }
  } finally {
    await connection.release();
  }
}
