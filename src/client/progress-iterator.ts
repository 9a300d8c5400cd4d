import { ChunkedUploadError } from './chunked-upload-error.js';
import type { UploadProgress } from './upload-state.js';

/** What is iterated. */
interface Progressing {
  readonly progress: UploadProgress;
  on(name: 'progress', listener: () => void): () => void;
  start(): Promise<unknown>;
}

/** Starts an upload and gives its progress, the latest at each time, until it is complete or cancelled. @throws ChunkedUploadError */
export async function* progressUntilEnd(upload: Progressing): AsyncGenerator<UploadProgress, void> {
  let tell = () => {};
  let news = new Promise<void>((resolve) => (tell = resolve));
  let end: (() => void) | null = null;
  const stopListening = upload.on('progress', () => tell());
  const ended = upload.start().then(
    () => () => undefined,
    (error: unknown) => () => {
      if (!(error instanceof ChunkedUploadError) || error.code !== 'cancelled') throw error;
    },
  );
  void ended.then((how) => {
    end = how;
    tell();
  });
  try {
    while (end === null) {
      yield upload.progress;
      await news;
      news = new Promise<void>((resolve) => (tell = resolve));
    }
    yield upload.progress;
    (await ended)();
  } finally {
    stopListening();
  }
}
