import type { DataSource } from 'typeorm';
import { answered } from './database-deadline.js';
import { databaseFailure } from './database-failure.js';
import { endSoon, type OwnConnection, ownConnection } from './own-connection.js';

/** Asks the holder of a lease, in whatever process it is, to let go. */
export interface LeaseRequest {
  readonly uploadId: string;
  readonly token: string;
  /** Who has it, as the row says; null while unknown. */
  readonly holder: string | null;
  /** Where the newer chunk starts; null when no write is to end, but what is left of one is in the way. */
  readonly start: number | null;
}

const CHANNEL = 'chunked_upload_lease';
const RECONNECT_MS = 1_000;

/**
 * Lets processes that share a database ask each other for leases, by LISTEN and NOTIFY on one connection of its own,
 * outside the pool. It only saves waiting: when it is down, a lease runs out by itself.
 */
export class LeaseRequests {
  private connection: OwnConnection | null = null;
  private reconnect: NodeJS.Timeout | undefined;
  private isStopped = true;

  constructor(private readonly dataSource: DataSource) {}

  /** Calls `onRequest` for every request of another process (and of this one), until {@link stop}. */
  async start(onRequest: (request: LeaseRequest) => void): Promise<void> {
    this.isStopped = false;
    await this.listen(onRequest);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.reconnect);
    await endSoon(this.connection);
  }

  async ask(request: LeaseRequest): Promise<void> {
    try {
      const parameters = [CHANNEL, JSON.stringify(request)];
      await answered(this.dataSource.query('SELECT pg_notify($1, $2)', parameters));
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  private async listen(onRequest: (request: LeaseRequest) => void): Promise<void> {
    const connection = ownConnection(this.dataSource);
    const again = () => {
      if (this.connection === connection) this.connection = null;
      if (this.isStopped) return;
      clearTimeout(this.reconnect);
      // A data source that was closed has no pool any more: then nobody listens, and nothing breaks.
      const listen = () => this.listen(onRequest).catch(() => undefined);
      this.reconnect = setTimeout(() => void listen(), RECONNECT_MS).unref();
    };
    connection.on('error', again);
    connection.on('end', again);
    connection.on('notification', ({ payload }) => {
      const request = parse(payload);
      if (request) onRequest(request);
    });
    this.connection = connection;
    try {
      await connection.connect();
      await connection.query(`LISTEN ${CHANNEL}`);
    } catch {
      await connection.end().catch(() => undefined);
      again();
    }
  }
}

/** Anybody who may use the database can send on the channel; what is no request is none of ours. */
function parse(payload: string | undefined): LeaseRequest | null {
  try {
    const { uploadId, token, holder, start } = JSON.parse(payload ?? '') as Record<string, unknown>;
    if (typeof uploadId !== 'string' || typeof token !== 'string') return null;
    return {
      uploadId,
      token,
      holder: typeof holder === 'string' ? holder : null,
      start: typeof start === 'number' ? start : null,
    };
  } catch {
    return null;
  }
}
