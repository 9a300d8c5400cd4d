import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { ADMIN } from './board-site.js';

const SCREENSHOTS = process.env.SCREENSHOTS ?? 'coverage/screenshots';

/** A board in a browser, and all that went wrong there. */
export class BoardPage {
  /** What the browser refused, and scripts that failed. */
  readonly problems: string[] = [];
  /** Requests that left the site. */
  readonly strangers: string[] = [];

  private constructor(readonly page: Page) {}

  /** Opens a url as an administrator, signed in by HTTP Basic unless the options say otherwise. */
  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<BoardPage> {
    const context = await browser.newContext({
      httpCredentials: ADMIN,
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      ...options,
    });
    const board = new BoardPage(await context.newPage());
    // Shorter than the test's: the error then says what was waited for.
    board.page.setDefaultTimeout(10_000);
    board.page.on('console', (message) => {
      // What is gone is asked for once more, and the browser writes that down.
      if (message.type() === 'error' && !message.text().includes('404')) board.problems.push(message.text());
    });
    board.page.on('pageerror', (error) => board.problems.push(error.message));
    board.page.on('request', (request) => {
      if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('data:')) {
        board.strangers.push(request.url());
      }
    });
    await board.page.goto(url);
    return board;
  }

  /** The row of a file. */
  row(filename: string): Locator {
    return this.page.locator('#rows tr', {
      has: this.page.getByRole('button', { name: filename, exact: true }),
    });
  }

  get names(): Promise<string[]> {
    return this.page.locator('#rows .name').allTextContents();
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });
  }

  async untilLive(): Promise<void> {
    await this.page.locator('#live[data-state=live]').waitFor();
  }

  async shoot(name: string): Promise<void> {
    await mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `board-${name}.png`) });
  }

  /** What axe has against the page as it is, by WCAG 2.2 AA. */
  async violations(): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page: this.page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
      .analyze();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
