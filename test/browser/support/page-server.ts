import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';

const PLUGIN = 'node_modules/blueimp-file-upload/js';

/** The page's files, the scripts of others as npm installed them. */
const FILES = [
  'node_modules/jquery/dist/jquery.js',
  `${PLUGIN}/vendor/jquery.ui.widget.js`,
  `${PLUGIN}/jquery.iframe-transport.js`,
  `${PLUGIN}/jquery.fileupload.js`,
  'test/browser/pages/index.html',
  'test/browser/pages/uploader.js',
];

/** The pages, one for each door; the path says which. */
const PATH = /^\/pages\/(rest|form-post)\/([\w.]+)$/;

type Next = () => void;

/** Serves the pages; anything else is left to `next`. */
export async function servePages(
  { url = '' }: IncomingMessage,
  response: ServerResponse,
  next: Next,
): Promise<void> {
  const [, door, name] = PATH.exec(url) ?? [];
  const file =
    name === 'door.js' ? `test/browser/pages/${door}.js` : FILES.find((path) => basename(path) === name);
  if (!file) return next();
  const type = file.endsWith('.html') ? 'text/html' : 'text/javascript';
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(await readFile(file));
}

/** The pages on an origin of their own. */
export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

export function startPageServer(): Promise<PageServer> {
  const server = createServer((request, response) => {
    void servePages(request, response, () => response.writeHead(404).end());
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done());
          server.closeAllConnections();
        });
      resolve({ origin: `http://127.0.0.1:${port}`, close });
    });
  });
}
