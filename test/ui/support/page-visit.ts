import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';

/** Where pictures of the page are kept, to be looked at. */
const SCREENSHOTS = process.env.SCREENSHOTS ?? 'coverage/screenshots';

/** Colour schemes and widths that every state is looked at in. */
const LOOKS = [
  ['light', 900],
  ['dark', 900],
  ['light', 375],
  ['dark', 375],
] as const;

/** A person at the page, and what went wrong there without a word on it. */
export class PageVisit {
  /** Errors of scripts, refusals of the Content-Security-Policy, and requests to anywhere else. */
  readonly faults: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly url: string,
  ) {}

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<PageVisit> {
    const context = await browser.newContext({ viewport: { width: 900, height: 1000 }, ...options });
    return PageVisit.openIn(context, url);
  }

  /** A page of a browser that remembers earlier visits. */
  static async openIn(context: BrowserContext, url: string): Promise<PageVisit> {
    const visit = new PageVisit(context, await context.newPage(), url);
    visit.watch();
    await visit.page.goto(url);
    await visit.page.locator('#starting').waitFor({ state: 'detached' });
    return visit;
  }

  private watch(): void {
    const { origin } = new URL(this.url);
    this.page.on('pageerror', (error) => this.faults.push(error.message));
    this.page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.faults.push(message.text());
    });
    this.page.on('request', (request) => {
      if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('blob:'))
        this.faults.push(`a request to ${request.url()}`);
    });
  }

  choose(...files: readonly string[]): Promise<void> {
    return this.page.setInputFiles('#files', [...files]);
  }

  /** Chooses a file where an unfinished upload asks for it. */
  async chooseAgain(filename: string, file: string): Promise<void> {
    const [chooser] = await Promise.all([
      this.page.waitForEvent('filechooser'),
      this.button('Choose the same file', filename).click(),
    ]);
    await chooser.setFiles(file);
  }

  /** The row of a file, in one of the lists. */
  row(list: 'current' | 'unfinished' | 'finished', filename: string): Locator {
    return this.page
      .locator(`#${list} li`)
      .filter({ has: this.page.getByRole('heading', { name: filename }) });
  }

  /** The row of a file of this visit, once it is in this state. */
  async inState(state: string, filename: string, ms = 15_000): Promise<Locator> {
    const row = this.page.locator(`#current li[data-state="${state}"]`).filter({ hasText: filename });
    await row.waitFor({ timeout: ms }).catch(async (error: unknown) => {
      throw new Error(`Not ${state}: ${await this.page.innerText('main')}`, { cause: error });
    });
    return row;
  }

  async finished(filename: string, ms = 20_000): Promise<void> {
    await this.row('finished', filename)
      .first()
      .waitFor({ timeout: ms })
      .catch(async (error: unknown) => {
        throw new Error(`Not finished: ${await this.page.innerText('main')}`, { cause: error });
      });
  }

  button(text: string, filename: string): Locator {
    return this.page.getByRole('button', { name: `${text} ${filename}`, exact: true });
  }

  /** Waits until the bar of a file has come this far, 0 to 1. */
  async sent(filename: string, share: number, ms = 20_000): Promise<void> {
    const hasCome = ({ name, least }: { name: string; least: number }): boolean => {
      const bars = [...document.querySelectorAll<HTMLProgressElement>('#current progress')];
      return bars.some((bar) => bar.ariaLabel === name && bar.value >= least);
    };
    const wanted = { name: filename, least: share };
    await this.page
      .waitForFunction(hasCome, wanted, { polling: 50, timeout: ms })
      .catch(async (error: unknown) => {
        throw new Error(`Not ${share} sent: ${await this.page.innerText('main')}`, { cause: error });
      });
  }

  /** Takes pictures of how the page looks now. */
  async show(state: string): Promise<void> {
    await mkdir(SCREENSHOTS, { recursive: true });
    const before = this.page.viewportSize();
    for (const [colorScheme, width] of LOOKS) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await this.page.setViewportSize({ width, height: 1000 });
      const path = join(SCREENSHOTS, `page-${state}-${colorScheme}-${width}.png`);
      await this.page.screenshot({ path, fullPage: true });
    }
    await this.page.emulateMedia({ colorScheme: null, reducedMotion: null });
    if (before) await this.page.setViewportSize(before);
  }
}
