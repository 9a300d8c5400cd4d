import { Column, type ColumnType, Index, PrimaryColumn } from 'typeorm';
import { safeInteger } from './safe-integer.transformer.js';

/** States of an upload. `deleting` without a storage key is a tombstone: the record of an upload that expired. */
export type UploadStatus = 'uploading' | 'completing' | 'complete' | 'deleting' | 'failed';

/** JSON as a column holds it. */
export type JsonObject = Record<string, unknown>;

/** The columns every upload type has, but for the user's: TypeORM lets no subclass give a column another type or name. */
@Index(['ownerType', 'ownerId'])
@Index(['createdAt', 'id'])
@Index(['userId', 'createdAt', 'id'])
@Index(['status', 'expiresAt'])
abstract class UploadColumns {
  @PrimaryColumn('uuid')
  id: string;

  /** The name the client gave, for display and download; never a path. */
  @Column('text')
  filename: string;

  /** Declared media type, or the one its extension stands for; never trusted. */
  @Column('text', { name: 'content_type', nullable: true })
  contentType: string | null;

  /** Declared size in bytes; null while unknown, fixed by the first number. */
  @Column('bigint', { nullable: true, transformer: safeInteger })
  size: number | null;

  /** Bytes durably received; the next byte expected. */
  @Column('bigint', { default: 0, transformer: safeInteger })
  offset: number;

  @Column('text', { default: 'uploading' })
  status: UploadStatus;

  /** Who created it; null for an anonymous caller. */
  userId: string | null;

  /** The domain object it belongs to: set at creation, never after. */
  @Column('text', { name: 'owner_type', nullable: true })
  ownerType: string | null;

  @Column('text', { name: 'owner_id', nullable: true })
  ownerId: string | null;

  /** Final checksums in lower-case hex, by algorithm. */
  @Column('jsonb', { default: {} })
  checksums: Record<string, string>;

  /** State of the running digests at `offset`, by algorithm; written in the same statement as the offset. */
  @Column('jsonb', { name: 'digest_state', nullable: true })
  digestState: Record<string, string> | null;

  /** Where the bytes are, for the storage driver; null once they are deleted. */
  @Column('text', { name: 'storage_key', nullable: true })
  storageKey: string | null;

  @Column('jsonb', { name: 'storage_state', nullable: true })
  storageState: Record<string, string | number | boolean | null> | null;

  /** Free for the app. */
  @Column('jsonb', { default: {} })
  metadata: JsonObject;

  /** Digest of the creating request's `Idempotency-Key`, scoped to its user. */
  @Column('text', { name: 'idempotency_key', nullable: true, unique: true })
  idempotencyKey: string | null;

  /** What `onComplete` returned, so that a repeated completion gets the same answer, to the letter. */
  @Column('json', { name: 'completion_result', nullable: true })
  completionResult: unknown;

  /** The right to write; null when nobody holds it. */
  @Column('uuid', { name: 'lease_token', nullable: true })
  leaseToken: string | null;

  /** By the database's clock. */
  @Column('timestamp with time zone', { name: 'lease_expires_at', nullable: true })
  leaseExpiresAt: Date | null;

  /** The process that holds the lease, so that a dead one need not be waited for. */
  @Column('text', { name: 'lease_holder', nullable: true })
  leaseHolder: string | null;

  /** Which physical file the current chain of leases writes to. */
  @Column('int', { default: 0 })
  generation: number;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  @Column('timestamp with time zone', { name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt: Date;

  @Column('timestamp with time zone', { name: 'completed_at', precision: 3, nullable: true })
  completedAt: Date | null;

  /** When an unfinished upload may be deleted; a completed one never is. */
  @Column('timestamp with time zone', { name: 'expires_at', precision: 3 })
  expiresAt: Date;
}

/**
 * What every upload type is. Extend it (or {@link ChunkedUpload}) with an `@Entity` of your own to add columns per domain;
 * each such entity is a table of its own.
 */
export abstract class AbstractChunkedUpload extends UploadColumns {
  @Column('text', { name: 'user_id', nullable: true })
  override userId: string | null;
}

/** How a table names its user. */
export interface UserColumn {
  /** @default 'user_id' */
  readonly name?: string;
  /** @default 'text' */
  readonly type?: ColumnType;
  /** @default true */
  readonly nullable?: boolean;
}

/**
 * A base like {@link AbstractChunkedUpload} whose user has a column of your own, such as the key of your table of users.
 *
 * @example
 * @Entity()
 * class FilmUpload extends uploadBase({ name: 'producer_id', type: 'int', nullable: false }) {
 *   @ManyToOne(() => Producer) @JoinColumn({ name: 'producer_id' })
 *   producer: Producer;
 * }
 */
export function uploadBase(user: UserColumn): typeof AbstractChunkedUpload {
  const { name = 'user_id', type = 'text', nullable = true } = user;
  abstract class UploadBase extends UploadColumns {
    @Column({ type, name, nullable })
    override userId: string | null;
  }
  return UploadBase;
}
