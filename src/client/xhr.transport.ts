import type { HttpAnswer, HttpRequest } from './platform.js';

/** Sends by XMLHttpRequest: `fetch` does not tell how much of a body went out. */
export function sendByXhr(request: HttpRequest<Blob>): Promise<HttpAnswer> {
  const { signal } = request;
  // What cannot be sent at all is no trouble of the network.
  const xhr = new XMLHttpRequest();
  xhr.open(request.method, request.url);
  xhr.withCredentials = request.withCredentials;
  for (const [name, value] of Object.entries(request.headers)) xhr.setRequestHeader(name, value);
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abort = () => xhr.abort();
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, request.timeoutMs);
    };
    xhr.upload.onprogress = ({ loaded }) => {
      alive();
      request.onProgress?.(loaded);
    };
    xhr.onprogress = alive;
    xhr.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      const { status, responseText: text } = xhr;
      // Broken off, it has no status.
      if (status === 0) reject(new Error());
      else resolve({ status, text, header: (name) => xhr.getResponseHeader(name) });
    };
    signal.addEventListener('abort', abort);
    alive();
    xhr.send(request.body);
  });
}
