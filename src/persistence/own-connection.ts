import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';

/** What is used of a connection of `pg`. */
export interface OwnConnection {
  connect(): Promise<unknown>;
  query(sql: string, parameters?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
  on(event: 'notification', listener: (message: { payload?: string }) => void): void;
  on(event: 'error' | 'end', listener: (error?: Error) => void): void;
}

/** What is used of TypeORM's PostgreSQL driver: the pool's class of connections, and how it connects. */
interface PostgresPool {
  readonly Client: new (options: object) => OwnConnection;
  readonly options: { readonly password?: unknown };
}

/** Sooner than firewalls forget a connection on which nothing is sent. */
const KEEP_ALIVE_MS = 30_000;

/** A database that is frozen never closes a connection. */
const END_MS = 1_000;

/**
 * A connection outside the pool, made as the pool makes its own: what is held for long must not starve requests. Nothing is
 * sent on it for long either, so the system has to find out when the other end is gone.
 */
export function ownConnection(dataSource: DataSource): OwnConnection {
  const pool = (dataSource.driver as unknown as { master: PostgresPool }).master;
  // The pool hides the password: a copy of its options has none.
  const { password } = pool.options;
  const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MS };
  return new pool.Client({ ...pool.options, password, ...keepAlive });
}

/** Closes it, and does not wait for ever. */
export async function endSoon(connection: OwnConnection | null): Promise<void> {
  const ended = connection?.end().catch(() => undefined);
  await Promise.race([ended, sleep(END_MS, undefined, { ref: false })]);
}
