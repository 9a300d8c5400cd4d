import type { CallerPolicy } from './access/caller.js';
import type { ResponseFormat } from './upload-options.js';
import type { UploadEngine } from './engine/upload-engine.js';
import type { HookContext } from './engine/upload-hooks.interface.js';
import type { UploadErrorCode } from './errors/upload-error-code.js';
import type { AbstractChunkedUpload, JsonObject } from './persistence/abstract-chunked-upload.entity.js';

/** What the doors of an upload type go by; complete and frozen. */
export interface DoorSettings extends CallerPolicy {
  readonly isRangeRequired: boolean;
  readonly fileField: string;
  readonly publicUrl: string | null;
  /** Changes what is told about an upload. */
  readonly render: (body: JsonObject, upload: AbstractChunkedUpload, context: HookContext) => unknown;
  /** How bodies are written; null for JSON. */
  readonly response: Required<ResponseFormat> | null;
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
    private readonly place: { readonly routes: readonly string[]; readonly cleanup: string | false } = {
      routes: [],
      cleanup: false,
    },
  ) {}

  /** The last parts of its routes with their versions: no other type may have them. */
  get routes(): readonly string[] {
    return this.place.routes;
  }

  /** Cron expression of its cleanup, or false for none. */
  get cleanup(): string | false {
    return this.place.cleanup;
  }
}
