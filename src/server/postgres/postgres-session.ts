import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Any number: the embedded database holds nothing but this project's tables. */
const PRESENCE_LOCK = 7_340_021;

/** Connections end a moment after the pool that held them was closed. */
const LINGER_MS = 1_000;

/**
 * One connection, held for as long as this process uses the server. Its shared advisory lock tells other processes
 * that somebody does, and ends with the process however that ends.
 */
export class PostgresSession {
  #lost = false;

  private constructor(private readonly client: pg.Client) {
    // A server that goes away is met by the app's own queries; here it would only be an unhandled event.
    client.on('error', () => (this.#lost = true));
    client.on('end', () => (this.#lost = true));
  }

  /** Connects and announces this process. Throws what `pg` throws: refused, wrong password, shutting down. */
  static async open(url: string): Promise<PostgresSession> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      application_name: 'chunked-upload launcher',
    });
    const session = new PostgresSession(client);
    try {
      await client.connect();
      // Waits while another process is about to stop the server, and then fails with it.
      await client.query('SELECT pg_advisory_lock_shared($1)', [PRESENCE_LOCK]);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** The folder the server works on. */
  async dataDirectory(): Promise<string> {
    const { rows } = await this.client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory ?? '';
  }

  /** Whether the connection broke; the server is gone or was restarted. */
  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Whether no other process uses the server. After `true` none can begin to: newcomers wait until the server
   * has stopped.
   * @param cut take connections that are not of a launcher for leftovers of this process
   */
  async becomeSoleUser(cut: boolean): Promise<boolean> {
    await this.client.query('SELECT pg_advisory_unlock_shared($1)', [PRESENCE_LOCK]);
    const { rows } = await this.client.query<{ sole: boolean }>('SELECT pg_try_advisory_lock($1) AS sole', [
      PRESENCE_LOCK,
    ]);
    if (rows[0]?.sole !== true) return false;
    return cut || (await this.#isLastClient());
  }

  /** Ends the connection; may be called twice. */
  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  async #isLastClient(): Promise<boolean> {
    for (const until = Date.now() + LINGER_MS; ; await sleep(50)) {
      const { rows } = await this.client.query<{ others: number }>(
        `SELECT count(*)::int AS others FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
      if (rows[0]?.others === 0) return true;
      if (Date.now() > until) return false;
    }
  }
}
