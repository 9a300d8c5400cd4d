import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { uploadCors } from '../../../src/upload-cors.js';
import { md5 } from '../../support/http.js';
import { type AdapterName, startTestApp, type TestApp } from '../../support/test-app.js';
import { launchBrowser } from './browser.js';
import { createPageFiles, type PageFile, type PageFiles } from './page-files.js';
import { type PageServer, servePages, startPageServer } from './page-server.js';
import { Visitor } from './upload-page.js';

interface Parts {
  readonly app: TestApp;
  readonly pages: PageServer;
  readonly files: PageFiles;
  readonly browser: Browser;
  readonly visitor: Visitor;
}

/** An app, pages on its origin and on another one, and a visitor with a browser and files. */
export class BrowserRig {
  readonly app: TestApp;
  readonly pages: PageServer;
  readonly files: PageFiles;
  readonly visitor: Visitor;

  private constructor(private readonly parts: Parts) {
    ({ app: this.app, pages: this.pages, files: this.files, visitor: this.visitor } = parts);
  }

  /** An app that knows who is calling by a cookie, and lets in pages of the other origin. */
  static async start(adapter: AdapterName): Promise<BrowserRig> {
    const [browser, pages, files] = await Promise.all([
      launchBrowser(),
      startPageServer(),
      createPageFiles(),
    ]);
    const app = await startTestApp({
      adapter,
      upload: { doors: ['rest', 'form-post'], resolveUser: userInCookie },
      configure: (nest) => {
        nest.enableCors(uploadCors({ origin: pages.origin, credentials: true }));
        nest.use(servePages);
      },
    });
    return new BrowserRig({ app, pages, files, browser, visitor: await Visitor.arrive(browser, files) });
  }

  /** That exactly these files are there, whole, in the database and on disk. */
  async expectStored(...files: readonly PageFile[]): Promise<void> {
    const rows = await this.app.rows();
    const summary = rows.map((row) => [row.filename, row.status, Number(row.size), row.checksums]);
    const wanted = files.map(({ name, bytes }) => [name, 'complete', bytes.length, { md5: md5(bytes) }]);
    expect(summary.sort()).toEqual(wanted.sort());
    const paths = await this.app.files();
    expect(paths.length).toBe(files.length);
    for (const { id, filename } of rows) {
      const path = paths.find((each) => each.endsWith(`${String(id)}.done`)) ?? 'no such file';
      const { bytes } = files.find(({ name }) => name === filename) as PageFile;
      expect(md5(await readFile(join(this.app.root, path)))).toBe(md5(bytes));
    }
  }

  /** Closes the pages, and deletes every upload. */
  async clear(): Promise<void> {
    await this.visitor.closePages();
    await this.app.dataSource.query('DELETE FROM chunked_upload');
    for (const path of await this.app.files()) await rm(join(this.app.root, path));
  }

  async stop(): Promise<void> {
    await this.parts.browser.close();
    await this.pages.close();
    await this.app.close();
    await this.files.remove();
  }
}

function userInCookie(request: unknown): string | null {
  const { cookie = '' } = (request as { headers: { cookie?: string } }).headers;
  return /session=(\w+)/.exec(cookie)?.[1] ?? null;
}
