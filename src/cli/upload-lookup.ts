import type { INestApplicationContext } from '@nestjs/common';
import { chosenTypes } from '../cleanup/chosen-types.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { Sighting } from '../persistence/upload.repository.js';
import type { UploadType } from '../upload-type.js';
import { UploadTypes } from '../upload-types.js';
import { UsageError } from './exit-code.js';

/** An upload, and what kind of one it is. */
export interface Found {
  readonly type: UploadType;
  readonly sighting: Sighting<AbstractChunkedUpload>;
}

/** The app's upload types, or those of these names. @throws UsageError for a name that is none. */
export function typesOf(app: INestApplicationContext, names?: readonly string[]): readonly UploadType[] {
  const types = app.get(UploadTypes, { strict: false });
  try {
    return chosenTypes(types, names);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Finds an upload in any type and any state; null when there is none. */
export async function findUpload(types: Iterable<UploadType>, id: string): Promise<Found | null> {
  for (const type of types) {
    const { uploads } = type.engine.context.repositories;
    const sighting = await uploads.sight(id, { userId: null, restricted: false });
    if (sighting) return { type, sighting };
  }
  return null;
}
