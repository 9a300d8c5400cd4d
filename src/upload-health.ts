import type { UploadType } from './upload-type.js';

/** Whether uploads can be taken now, part by part. */
export interface UploadHealthReport {
  readonly database: 'up' | 'down';
  readonly storage: 'up' | 'down';
}

/** Looks whether the database answers and the storage takes bytes; for a health endpoint of the app. */
export class UploadHealth {
  constructor(private readonly types: Iterable<UploadType>) {}

  async check(): Promise<UploadHealthReport> {
    const contexts = [...this.types].map(({ engine }) => engine.context);
    const [database, storage] = await Promise.all([
      stateOf(contexts.map(({ repositories }) => repositories.check())),
      stateOf(contexts.map(({ driver }) => driver.check())),
    ]);
    return { database, storage };
  }
}

async function stateOf(checks: readonly Promise<void>[]): Promise<'up' | 'down'> {
  try {
    await Promise.all(checks);
    return 'up';
  } catch {
    return 'down';
  }
}
