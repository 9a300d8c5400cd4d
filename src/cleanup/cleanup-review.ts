import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { DuePlace } from '../persistence/inspection.repository.js';
import type { UploadType } from '../upload-type.js';
import { chosenTypes } from './chosen-types.js';
import { type CleanupOptions, filterOf } from './upload-cleanup.js';

const PAGE = 100;

/** What a review goes by. */
export type ReviewOptions = Pick<
  CleanupOptions,
  'olderThan' | 'types' | 'unfinished' | 'keepRecords' | 'limit'
>;

/** An upload that a cleanup would delete. */
export interface DueUpload {
  readonly type: UploadType;
  readonly upload: AbstractChunkedUpload;
}

/**
 * A cleanup one upload at a time, for somebody who wants to see each. Uploads that are due only because their domain
 * object was deleted are not among them; the cleanup itself takes those.
 */
export class CleanupReview {
  constructor(private readonly types: Iterable<UploadType>) {}

  /** What is due, the longest expired first; few rows are in memory. @throws RangeError for a type that is not there. */
  async *due(options: ReviewOptions = {}): AsyncGenerator<DueUpload> {
    let left = options.limit ?? Number.MAX_SAFE_INTEGER;
    for (const type of chosenTypes(this.types, options.types)) {
      for (let after: DuePlace | null = null; left > 0;) {
        const page = await type.engine.context.repositories.inspection.due(
          filterOf(options),
          after,
          Math.min(left, PAGE),
        );
        for (const upload of page) yield { type, upload };
        left -= page.length;
        after = page.at(-1) ?? null;
        if (!after) break;
      }
    }
  }

  /**
   * Deletes an upload, bytes and row. False: it is not due any more, since somebody went on with it or deleted it.
   * @throws UploadError `storage_unavailable`, `database_unavailable`; the cleanup then tries again later.
   */
  async delete({ type, upload }: DueUpload, options: ReviewOptions = {}): Promise<boolean> {
    const { policy, events } = type.engine.context;
    const taken = await type.engine.context.repositories.inspection.takeDue(filterOf(options), upload.id);
    if (!taken) return false;
    await type.engine.remover.erase(taken, options.keepRecords ?? policy.keepRecords);
    events.emit('expired', taken);
    return true;
  }
}
