import type { ChunkedUploadError } from './chunked-upload-error.js';
import type { UploadProgress } from './upload-state.js';

/** What is iterated. */
interface Progressing {
  readonly progress: UploadProgress;
  on(name: 'progress', listener: () => void): () => void;
  start(): Promise<unknown>;
}

/** Starts an upload and gives its progress, the latest at each time, until it is complete or cancelled. @throws ChunkedUploadError */
export async function* progressUntilEnd(upload: Progressing): AsyncGenerator<UploadProgress, void> {
  let isOver = false;
  let tell = () => {};
  const stopListening = upload.on('progress', () => tell());
  const ended = upload.start().then(
    () => null,
    (error: ChunkedUploadError) => (error.code === 'cancelled' ? null : error),
  );
  void ended.then(() => {
    isOver = true;
    tell();
  });
  try {
    while (!isOver) {
      const news = new Promise<void>((resolve) => (tell = resolve));
      yield upload.progress;
      await news;
    }
    yield upload.progress;
    const error = await ended;
    if (error) throw error;
  } finally {
    stopListening();
  }
}
