import type { DataSource } from 'typeorm';

/** What is used of a pool of `pg`. */
interface Pool {
  on(event: 'acquire', listener: (client: object) => void): void;
}
interface Client {
  on(event: 'error', listener: () => void): void;
}

const guarded = new WeakSet<object>();

/**
 * Keeps the process alive when PostgreSQL ends a session just as it leaves the pool: the pool has stopped listening for its
 * error by then, and TypeORM has not begun. The statement on that connection fails in any case, and says so.
 */
export function surviveEndedSessions(dataSource: DataSource): void {
  const { master } = dataSource.driver as unknown as { master?: Pool };
  if (!master || guarded.has(master)) return;
  guarded.add(master);
  master.on('acquire', (client) => {
    if (guarded.has(client)) return;
    guarded.add(client);
    (client as Client).on('error', () => undefined);
  });
}
