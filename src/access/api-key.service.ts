import { createHmac, timingSafeEqual } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type DataSource, IsNull, type Repository } from 'typeorm';
import { duration, InvalidOptionError, show } from '../option-values.js';
import { databaseFailure } from '../persistence/database-failure.js';
import type { Duration } from '../upload-options.js';
import { idOfApiKey, isApiKeyId, newApiKey } from './api-key.js';
import { secretDigest } from './secret-digest.js';
import { UploadApiKey } from './upload-api-key.entity.js';

/** A key to be created. */
export interface ApiKeyDraft {
  /** Whose uploads the key opens: 1 to 200 characters, no control characters. */
  readonly userId: string;
  /** A name for people, at most 200 characters. @default '' */
  readonly label?: string;
  /** How long the key works, 100 years at most. @default forever */
  readonly expiresIn?: Duration;
}

/** A key as lists show it: without its digest. */
export type ApiKeyRecord = Omit<UploadApiKey, 'hash'>;

/** The answer to {@link ApiKeyService.create}. */
export interface IssuedApiKey {
  /** The key itself, here and never again. */
  readonly key: string;
  readonly record: ApiKeyRecord;
}

/** Who presented a key that works. */
export interface ApiKeyHolder {
  readonly keyId: string;
  readonly userId: string;
}

/** What was signed, by which key. */
export interface SignedText {
  readonly keyId: string;
  readonly text: string;
  /** HMAC-SHA-256 in hex. */
  readonly signature: string;
}

const NAME_PATTERN = /^[^\p{Cc}\p{Cs}]{0,200}$/u;
const SIGNATURE_PATTERN = /^[0-9a-f]{64}$/i;
const MAX_LIFETIME_MS = 100 * 365 * 86_400_000;
const LAST_USED_PRECISION_MS = 60_000;
/** Compared with when there is no such key, so that an unknown id takes as long as a wrong secret. */
const NO_HASH = Buffer.alloc(32);

/**
 * API keys: made, listed, revoked, verified. Of a key only its SHA-256 is stored; a slow hash protects passwords
 * people think up, and these are 256 random bits. Methods throw UploadError `database_unavailable` when the database
 * cannot be reached.
 */
export class ApiKeyService {
  private readonly logger = new Logger('ChunkedUpload');
  private readonly keys: Repository<UploadApiKey>;
  /** Ids whose last use is being written, so that a slow database gathers no queue of them. */
  private readonly noting = new Set<string>();

  constructor(dataSource: DataSource) {
    this.keys = dataSource.getRepository(UploadApiKey);
  }

  /** Creates a key. @throws InvalidOptionError naming what in the draft cannot be used. */
  async create({ userId, label = '', expiresIn }: ApiKeyDraft): Promise<IssuedApiKey> {
    if (userId === '') throw new InvalidOptionError('userId must not be empty.');
    const { id, key } = newApiKey();
    const values = {
      id,
      userId: nameOf('userId', userId),
      label: nameOf('label', label),
      hash: secretDigest(key),
      expiresAt: expiresIn === undefined ? null : fromNow(expiresIn),
    };
    const record = await this.query(async () => {
      await this.keys.insert(values);
      return this.keys.findOneByOrFail({ id });
    });
    return { key, record };
  }

  /** Keys, newest first, those that no longer work included; of one user where one is named. */
  async list({ userId }: { readonly userId?: string } = {}): Promise<ApiKeyRecord[]> {
    if (userId !== undefined && !NAME_PATTERN.test(userId)) return [];
    const where = userId === undefined ? {} : { userId };
    return this.query(() => this.keys.find({ where, order: { createdAt: 'DESC', id: 'ASC' } }));
  }

  /** Ends a key for good, from the next request on; of one user where one is named. False: there is no such key in use. */
  async revoke(id: string, userId?: string): Promise<boolean> {
    if (!isApiKeyId(id) || (userId !== undefined && !NAME_PATTERN.test(userId))) return false;
    const where = { id, revokedAt: IsNull(), ...(userId !== undefined && { userId }) };
    const { affected } = await this.query(() => this.keys.update(where, { revokedAt: () => 'now()' }));
    return affected === 1;
  }

  /** Who holds this key, if it works and, where a user is named, is theirs; else null. */
  async verify(key: string, userId?: string): Promise<ApiKeyHolder | null> {
    const id = idOfApiKey(key);
    if (id === null) return null;
    const found = await this.findWorking(id);
    const isKey = timingSafeEqual(secretDigest(key), found?.hash ?? NO_HASH);
    if (!found || !isKey || (userId !== undefined && userId !== found.userId)) return null;
    return this.holderOf(found);
  }

  /** Who signed the text, if the key works and the signature is its; else null. The HMAC's key is the key's SHA-256. */
  async verifySignature({ keyId, text, signature }: SignedText): Promise<ApiKeyHolder | null> {
    if (!isApiKeyId(keyId) || !SIGNATURE_PATTERN.test(signature)) return null;
    const found = await this.findWorking(keyId);
    const expected = createHmac('sha256', found?.hash ?? NO_HASH)
      .update(text)
      .digest();
    const isSigned = timingSafeEqual(Buffer.from(signature, 'hex'), expected);
    return found && isSigned ? this.holderOf(found) : null;
  }

  /** By the database's clock, as everything that expires here. */
  private findWorking(id: string): Promise<UploadApiKey | null> {
    return this.query(() =>
      this.keys
        .createQueryBuilder('key')
        .addSelect('key.hash')
        .where('key.id = :id AND key.revokedAt IS NULL', { id })
        .andWhere('(key.expiresAt IS NULL OR key.expiresAt > now())')
        .getOne(),
    );
  }

  private holderOf(found: UploadApiKey): ApiKeyHolder {
    const { id, userId, lastUsedAt } = found;
    const isNoted = lastUsedAt !== null && Date.now() - lastUsedAt.getTime() < LAST_USED_PRECISION_MS;
    if (!isNoted && !this.noting.has(id)) void this.noteUse(id);
    return { keyId: id, userId };
  }

  /** Never fails and is not waited for: a request must not end because its time could not be written down. */
  private async noteUse(id: string): Promise<void> {
    this.noting.add(id);
    try {
      await this.keys
        .createQueryBuilder()
        .update()
        .set({ lastUsedAt: () => 'now()' })
        .where('id = :id', { id })
        // Again, since other processes note it too.
        .andWhere(`(last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`)
        .execute();
    } catch (error) {
      this.logger.warn(`The last use of API key ${id} could not be written: ${String(error)}`);
    } finally {
      this.noting.delete(id);
    }
  }

  private async query<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      throw databaseFailure(error);
    }
  }
}

function nameOf(field: string, value: string): string {
  if (NAME_PATTERN.test(value)) return value;
  throw new InvalidOptionError(
    `${field} must be at most 200 characters, none of them control characters, not ${show(value)}.`,
  );
}

/** SQL for a moment by the database's clock. */
function fromNow(expiresIn: Duration): () => string {
  const lifetimeMs = duration('expiresIn', expiresIn);
  if (lifetimeMs > MAX_LIFETIME_MS) throw new InvalidOptionError('expiresIn must be 100 years at most.');
  return () => `now() + ${lifetimeMs} * interval '1 millisecond'`;
}
