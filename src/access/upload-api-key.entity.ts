import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An API key as it is stored: whose it is and the digest of it, never the key itself. */
@Entity('chunked_upload_api_key')
@Index(['userId'])
export class UploadApiKey {
  /** The public part of the key; signed requests name it as `api_key`. */
  @PrimaryColumn('uuid')
  id: string;

  /** Becomes `request.user.id`. */
  @Column('text', { name: 'user_id' })
  userId: string;

  /** What its user calls it. */
  @Column('text', { default: '' })
  label: string;

  /** SHA-256 of the key: proves a key, and is the key of signatures. Not selected unless asked for. */
  @Column('bytea', { select: false })
  hash: Buffer;

  @Column('timestamp with time zone', { name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  /** To the minute. */
  @Column('timestamp with time zone', { name: 'last_used_at', precision: 3, nullable: true })
  lastUsedAt: Date | null;

  /** Null: never. */
  @Column('timestamp with time zone', { name: 'expires_at', precision: 3, nullable: true })
  expiresAt: Date | null;

  @Column('timestamp with time zone', { name: 'revoked_at', precision: 3, nullable: true })
  revokedAt: Date | null;
}
