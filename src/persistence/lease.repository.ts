import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';
import { leaseIsClaimable, NEXT_GENERATION, NO_LEASE } from './upload-table.js';
import type { UploadScope, UploadTable } from './upload-table.js';

/** A lease to be taken: the token proves it, the holder says who has it. */
export interface Lease {
  readonly token: string;
  readonly holder: string;
  readonly ttlMs: number;
  /** Whether to take over from a holder whose lease ran out: it may only be paused. */
  readonly takesOver: boolean;
}

/** The state a chunk may be claimed in: the client's view of the upload. */
export interface ChunkClaim {
  readonly id: string;
  readonly scope: UploadScope;
  readonly start: number;
  /** First byte after the chunk; null while unknown. */
  readonly end: number | null;
  /** Declared size, null while unknown. */
  readonly total: number | null;
}

/** What a chunk leaves in the row, all in one statement. */
export interface ChunkCommit {
  readonly id: string;
  readonly token: string;
  readonly offset: number;
  /** Declared size, null while unknown. */
  readonly size: number | null;
  readonly digestState: Record<string, string>;
  readonly storageState: Readonly<Record<string, unknown>>;
  readonly expiresInMs: number;
  /** When no claim has looked at the row since the chunk before: how long ago one would have. Null: one has. */
  readonly unclaimedForMs: number | null;
  /** How long the lease goes on; null: it is given back. */
  readonly keepsForMs: number | null;
  /** Whether to wait until PostgreSQL has it on disk. */
  readonly isDurable: boolean;
}

/** The expiry moves on in steps: it is indexed, and a row of which nothing indexed changes is updated within its page. */
const EXPIRY_SLACK_MS = 1_000;

/** For the transaction that is the statement: it is on disk within a second, and before whatever is committed later. */
const SOON_DURABLE = `, set_config('synchronous_commit', 'off', true)`;

/** The right to write one upload: every statement is a compare-and-set, none holds a transaction. */
export class LeaseRepository<Entity extends AbstractChunkedUpload> {
  constructor(private readonly table: UploadTable<Entity>) {}

  /** Takes the lease for a chunk, or returns null without saying why. */
  claim({ id, scope, start, end, total }: ChunkClaim, lease: Lease): Promise<Entity | null> {
    return this.table.preparedFirst(
      `UPDATE ${this.table.name} SET lease_token = $1, lease_holder = $2,
         lease_expires_at = now() + $3::float8 * interval '1 millisecond', ${NEXT_GENERATION}
       WHERE id = ${this.table.unlocked(4)} AND ${this.table.inScope(5, scope)} AND status = 'uploading' AND "offset" = $7
         AND (size IS NULL OR ((size = $8 OR $8::bigint IS NULL) AND ($9::bigint IS NULL OR $9 <= size)))
         AND expires_at > now() AND ${leaseIsClaimable(10)}
       RETURNING ${this.table.columns}`,
      [
        lease.token,
        lease.holder,
        lease.ttlMs,
        id,
        scope.userId,
        scope.restricted,
        start,
        total,
        end,
        lease.takesOver,
      ],
    );
  }

  /** Records a chunk. Null: the lease was lost, or the upload expired unseen; nothing of the chunk is acknowledged. */
  commit(commit: ChunkCommit): Promise<Entity | null> {
    const { keepsForMs } = commit;
    const lease =
      keepsForMs === null ? NO_LEASE : `lease_expires_at = now() + $10::float8 * interval '1 millisecond'`;
    return this.table.preparedFirst(
      `UPDATE ${this.table.name} SET "offset" = $3, size = COALESCE(size, $4), digest_state = $5::jsonb,
         storage_state = $6::jsonb, updated_at = now(), ${lease},
         expires_at = CASE WHEN expires_at < now() + ($7::float8 - $8::float8) * interval '1 millisecond'
                           THEN now() + $7::float8 * interval '1 millisecond' ELSE expires_at END
       WHERE id = $1 AND lease_token = $2 AND status = 'uploading' AND NOT ($9::float8 IS NOT NULL AND expires_at <= now() - $9::float8 * interval '1 millisecond')
       RETURNING ${this.table.columns}${commit.isDurable ? '' : SOON_DURABLE}`,
      [
        commit.id,
        commit.token,
        commit.offset,
        commit.size,
        JSON.stringify(commit.digestState),
        JSON.stringify(commit.storageState),
        commit.expiresInMs,
        Math.min(commit.expiresInMs / 100, EXPIRY_SLACK_MS),
        commit.unclaimedForMs,
        ...(keepsForMs === null ? [] : [keepsForMs]),
      ],
    );
  }

  /** Keeps the lease for another `ttlMs`; false when it was lost. */
  async extend(id: string, { token, ttlMs }: Pick<Lease, 'token' | 'ttlMs'>): Promise<boolean> {
    const rows = await this.table.rows(
      `UPDATE ${this.table.name} SET lease_expires_at = now() + $3::float8 * interval '1 millisecond'
       WHERE id = $1 AND lease_token = $2 RETURNING id`,
      [id, token, ttlMs],
    );
    return rows.length > 0;
  }

  /** Gives the lease back: nothing is being written any more. False: it was lost, or given back before. */
  async release(id: string, token: string): Promise<boolean> {
    const rows = await this.table.rows(
      `UPDATE ${this.table.name} SET ${NO_LEASE} WHERE id = $1 AND lease_token = $2 RETURNING id`,
      [id, token],
    );
    return rows.length > 0;
  }

  /** Says that the storage lost bytes of this upload: it takes no more. False: the lease was lost. */
  async fail(id: string, token: string): Promise<boolean> {
    const rows = await this.table.rows(
      `UPDATE ${this.table.name} SET status = 'failed', updated_at = now(), ${NO_LEASE}
       WHERE id = $1 AND lease_token = $2 RETURNING id`,
      [id, token],
    );
    return rows.length > 0;
  }
}
