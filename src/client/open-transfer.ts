import type { Piece } from './platform.js';
import { ResumeMemory } from './resume-memory.js';
import { Transfer } from './transfer.js';
import type { UploadContext } from './upload-context.js';
import { fingerprint, nameOf } from './upload-key.js';

/** Opens the source and recognises it. Sends nothing. @throws ChunkedUploadError `source_unreadable`, … */
export async function openTransfer<Part extends Piece>(
  context: UploadContext<Part>,
): Promise<Transfer<Part>> {
  const { platform, options, status } = context;
  const source = await context.open();
  try {
    const filename = nameOf(source, options.filename);
    const key = options.store && (await fingerprint(platform, source, { ...options, filename }));
    const memory = new ResumeMemory(options.store, key);
    const url = (status.url ??= await memory.find());
    status.size = source.size;
    if (url !== null) status.emit('created', { url, isResumed: true });
    return new Transfer(context, source, filename, memory);
  } catch (error) {
    await source.close();
    throw error;
  }
}
