import { EventEmitter } from 'node:events';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';

/** What happened to an upload, after it was committed. */
export type UploadEventName = 'created' | 'chunkReceived' | 'completed' | 'cancelled' | 'expired';

/** A listener; what it throws is logged and changes nothing. */
export type UploadListener<Entity> = (upload: Entity) => void | Promise<void>;

/**
 * News about uploads of one type. They only tell: a listener cannot break or delay a request, and one that must not be
 * missed belongs in `onComplete`, which runs in the completing transaction.
 */
export class UploadEvents<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  private readonly emitter = new EventEmitter();

  constructor(private readonly onError: (error: unknown) => void) {}

  /** Listens; returns the function that stops it. */
  on(name: UploadEventName, listener: UploadListener<Entity>): () => void {
    const guarded = (upload: Entity) => {
      Promise.resolve(upload).then(listener).catch(this.onError);
    };
    this.emitter.on(name, guarded);
    return () => this.emitter.off(name, guarded);
  }

  emit(name: UploadEventName, upload: Entity): void {
    this.emitter.emit(name, upload);
  }
}
