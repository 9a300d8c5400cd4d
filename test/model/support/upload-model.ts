import type { ChunkedUpload } from '../../../src/index.js';
import type { UploadErrorCode } from '../../../src/errors/upload-error-code.js';
import { EXPIRES_IN_MS } from './world.js';

/** What the tests believe of one upload. */
export interface ModelUpload {
  readonly id: string;
  readonly user: string;
  readonly key: string | undefined;
  status: ChunkedUpload['status'];
  size: number | null;
  /** Acknowledged. */
  bytes: Buffer;
  lease: { readonly holder: string; readonly until: number } | null;
  generation: number;
  expiresAt: number;
  touchedAt: number;
  /** Its bytes are deleted, the row is kept. */
  isTombstone: boolean;
  /** A chunk or a completion was committed: until then a repeated creation makes it anew. */
  isCreated: boolean;
}

export type Code = UploadErrorCode | null;

/** The uploads of a sequence, and the time. */
export class Model {
  now = 0;
  uploads: ModelUpload[] = [];
  /** Processes whose end everybody can see. */
  readonly gone = new Set<string>();

  /** Any upload there ever was; users pick foreign and deleted ones as well as their own. */
  pick(index: number): ModelUpload | undefined {
    return this.uploads[index % Math.max(1, this.uploads.length)];
  }

  created(upload: Pick<ModelUpload, 'id' | 'user' | 'key' | 'size' | 'bytes'>): ModelUpload {
    const created: ModelUpload = {
      ...upload,
      status: 'uploading',
      lease: null,
      generation: 0,
      expiresAt: this.now + EXPIRES_IN_MS,
      touchedAt: this.now,
      isTombstone: false,
      isCreated: true,
    };
    this.uploads.push(created);
    return created;
  }

  remove(upload: ModelUpload): void {
    this.uploads = this.uploads.filter((other) => other !== upload);
  }

  /** A complete upload never expires. */
  isExpired({ expiresAt, status }: ModelUpload): boolean {
    return this.now >= expiresAt && status !== 'complete';
  }

  /** Why `user` cannot use this upload at all. */
  usable(user: string, upload: ModelUpload | undefined): Code {
    if (upload?.user !== user) return 'not_found';
    if (upload.status === 'deleting') {
      return upload.isTombstone || this.isExpired(upload) ? 'expired' : 'not_found';
    }
    return this.isExpired(upload) ? 'expired' : null;
  }

  /** A claim that does not succeed at once gives back the lease of a holder that is seen to have ended. */
  releaseIfDead(upload: ModelUpload): void {
    if (upload.lease && this.gone.has(upload.lease.holder)) upload.lease = null;
  }

  isLeased({ lease }: ModelUpload): boolean {
    return lease !== null && lease.until > this.now;
  }

  /** The lease is taken, and given back by the end of the command; one that only ran out changes the generation. */
  take(upload: ModelUpload): void {
    if (upload.lease) upload.generation++;
    upload.lease = null;
  }

  commit(upload: ModelUpload, bytes: Buffer, size: number | null): void {
    upload.bytes = Buffer.concat([upload.bytes, bytes]);
    upload.size ??= size;
    upload.expiresAt = this.now + EXPIRES_IN_MS;
    upload.touchedAt = this.now;
    upload.isCreated = true;
  }

  byKey(user: string, key: string | undefined): ModelUpload | undefined {
    return this.uploads.find(
      (upload) => key !== undefined && upload.user === user && upload.key === key && !upload.isTombstone,
    );
  }

  /** What a cleanup takes. */
  due(): ModelUpload[] {
    return this.uploads.filter((upload) => {
      if (upload.isTombstone || this.isLeased(upload)) return false;
      if (upload.status === 'deleting') return this.now - upload.touchedAt > 60_000;
      return this.isExpired(upload);
    });
  }

  visible(user: string): ModelUpload[] {
    return this.uploads.filter((upload) => this.usable(user, upload) === null);
  }
}
