import type { CallerPolicy } from './access/caller.js';
import type { UploadEngine } from './engine/upload-engine.js';
import type { UploadErrorCode } from './errors/upload-error-code.js';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';

/** What the doors of an upload type go by; complete and frozen. */
export interface DoorSettings extends CallerPolicy {
  readonly isRangeRequired: boolean;
  readonly fileField: string;
  readonly publicUrl: string | null;
  readonly statusOverrides: Readonly<Partial<Record<UploadErrorCode, number>>>;
  readonly shutdownGraceMs: number;
}

/** One kind of upload: an entity, its rules (the engine), and how its doors behave. */
export class UploadType<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  constructor(
    /** Name of the entity class. */
    readonly name: string,
    readonly engine: UploadEngine<Entity>,
    readonly door: DoorSettings,
  ) {}
}
