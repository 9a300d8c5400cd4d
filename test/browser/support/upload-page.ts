import type { Browser, BrowserContext, Page } from 'playwright-core';
import { md5 } from '../../support/http.js';
import type { PageFile, PageFiles } from './page-files.js';

/** Where a page comes from, where it uploads to, and how. */
export interface Visit {
  readonly pageOrigin: string;
  readonly serverOrigin: string;
  readonly door: 'rest' | 'form-post';
  /** Options of jQuery-File-Upload. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether the browser still knows what it was told before. @default false */
  readonly remembers?: boolean;
  /** Whether the network is slow enough to stop in the middle of a chunk. @default false */
  readonly isThrottled?: boolean;
}

const THROTTLED_BYTES_PER_SECOND = 30_000_000;

/** A person with a browser. */
export class Visitor {
  private constructor(readonly context: BrowserContext) {}

  /** @param files those whose checksum a page may ask for. */
  static async arrive(browser: Browser, { small, json, empty, medium, large }: PageFiles): Promise<Visitor> {
    const context = await browser.newContext();
    const sums = new Map([small, json, empty, medium, large].map(({ name, bytes }) => [name, md5(bytes)]));
    await context.exposeFunction('md5Named', (name: string) => sums.get(name));
    return new Visitor(context);
  }

  async open({ pageOrigin, serverOrigin, door, ...visit }: Visit): Promise<UploadPage> {
    const page = await this.context.newPage();
    if (visit.isThrottled) await this.throttle(page);
    const path = door === 'rest' ? '/upload' : '/chunked_upload';
    const settings = { url: `${serverOrigin}${path}`, restUrl: `${serverOrigin}/upload`, ...visit.options };
    await page.addInitScript(`
      window.settings = ${JSON.stringify(settings)};
      window.md5Of = (file) => md5Named(file.name);
      if (${!visit.remembers}) localStorage.clear();
    `);
    const opened = new UploadPage(page);
    await page.goto(`${pageOrigin}/pages/${door}/index.html`);
    return opened;
  }

  /** Closes every page, and forgets who was signed in. */
  async closePages(): Promise<void> {
    for (const page of this.context.pages()) await page.close();
    await this.context.clearCookies();
  }

  private async throttle(page: Page): Promise<void> {
    const devtools = await this.context.newCDPSession(page);
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: THROTTLED_BYTES_PER_SECOND,
    });
  }
}

/** The page, with what it sent. */
export class UploadPage {
  /** First bytes of the chunks sent, in their order. */
  readonly starts: number[] = [];
  readonly problems: string[] = [];

  constructor(readonly page: Page) {
    page.on('request', (request) => {
      const [, start] = /^bytes (\d+)-/.exec(request.headers()['content-range'] ?? '') ?? [];
      if (start !== undefined) this.starts.push(Number(start));
    });
    page.on('pageerror', (error) => this.problems.push(error.message));
  }

  choose(...files: readonly PageFile[]): Promise<void> {
    const paths = files.map(({ path }) => path);
    return this.page.setInputFiles('#files', paths);
  }

  /** Waits until all `count` files are in that state. */
  async until(state: string, count = 1): Promise<void> {
    const items = 'Array.from(document.querySelectorAll("#uploads li"))';
    const matching = `${items}.filter(({ className }) => className === "${state}")`;
    try {
      // Not at each frame: drawing is what a browser without a graphics card is slow at.
      await this.page.waitForFunction(`${matching}.length === ${count}`, undefined, { polling: 50 });
    } catch (error) {
      throw new Error(`Not ${state}: ${await this.page.innerHTML('#uploads')}`, { cause: error });
    }
  }

  click(button: 'pause' | 'resume' | 'cancel'): Promise<void> {
    return this.page.click(`button.${button}`);
  }

  /** Waits until the third chunk is being sent, and then a moment. */
  async inTheMiddle(): Promise<void> {
    await this.page.waitForRequest(() => this.starts.length === 3);
    await this.page.waitForTimeout(30);
  }
}
