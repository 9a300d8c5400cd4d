import type { Logger } from 'typeorm';
import type { TestApp } from '../../support/test-app.js';

/** Id of the upload at a path such as `/upload/<id>`. */
export const idOf = (path: string): string => path.split('/').at(-1) ?? '';

/** The row of the upload at `path`; null when there is none. */
export async function rowOf(app: TestApp, path: string): Promise<Record<string, unknown> | null> {
  const rows = await app.dataSource.query<Record<string, unknown>[]>(
    'SELECT * FROM chunked_upload WHERE id = $1',
    [idOf(path)],
  );
  return rows[0] ?? null;
}

/** Changes the row of the upload at `path`; `set` is SQL. */
export async function setRow(app: TestApp, path: string, set: string): Promise<void> {
  await app.dataSource.query(`UPDATE chunked_upload SET ${set} WHERE id = $1`, [idOf(path)]);
}

/** Files of the upload at `path`. */
export async function filesOf(app: TestApp, path: string): Promise<string[]> {
  return (await app.files()).filter((name) => name.includes(idOf(path)));
}

/** Whether somebody holds the lease of the upload at `path`. */
export async function isLeased(app: TestApp, path: string): Promise<boolean> {
  return (await rowOf(app, path))?.lease_token != null;
}

/** The statements that reach the database while `work` runs. */
export async function statementsOf(app: TestApp, work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const { logger } = app.dataSource;
  const nothing = () => undefined;
  const recorder: Logger = {
    logQuery: (sql) => void statements.push(sql),
    logQueryError: nothing,
    logQuerySlow: nothing,
    logSchemaBuild: nothing,
    logMigration: nothing,
    log: nothing,
  };
  app.dataSource.logger = recorder;
  try {
    await work();
    return statements;
  } finally {
    app.dataSource.logger = logger;
  }
}
