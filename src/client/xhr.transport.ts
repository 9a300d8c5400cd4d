import type { HttpAnswer, HttpRequest } from './platform.js';

/** Sends by XMLHttpRequest: `fetch` does not tell how much of a body went out. */
export function sendByXhr(request: HttpRequest<Blob>): Promise<HttpAnswer> {
  const { method, url, headers, body, onProgress, signal, timeoutMs, withCredentials } = request;
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abort = () => xhr.abort();
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, timeoutMs);
    };
    xhr.open(method, url);
    xhr.withCredentials = withCredentials;
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      alive();
      onProgress?.(loaded);
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
    xhr.send(body);
  });
}
