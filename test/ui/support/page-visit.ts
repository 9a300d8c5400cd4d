import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@jest/globals';
import { join } from 'node:path';
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  CDPSession,
  Locator,
  Page,
} from 'playwright-core';

/** Folder for pictures of the page, to be looked at; without, none are taken. */
const { SCREENSHOTS } = process.env;

/** Far more than anything takes on a machine that has nothing else to do. */
const PATIENCE_MS = 45_000;

/** Widths in CSS pixels. */
const WIDE = 900;
const PHONE = 375;
const SMALLEST = 320;
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A person at the page, and what went wrong there without a word on it. */
export class PageVisit {
  /** Errors of scripts, refusals of the Content-Security-Policy, and requests to anywhere else. */
  readonly faults: string[] = [];
  private devtools: CDPSession | null = null;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly url: string,
  ) {}

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<PageVisit> {
    const context = await browser.newContext({ viewport: { width: WIDE, height: 1000 }, ...options });
    return PageVisit.openIn(context, url);
  }

  /** A page of a browser that remembers earlier visits. */
  static async openIn(context: BrowserContext, url: string): Promise<PageVisit> {
    const visit = new PageVisit(context, await context.newPage(), url);
    visit.watch();
    visit.page.setDefaultTimeout(PATIENCE_MS);
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
  async chooseAgain(filename: string, file: string, button = 'Choose the same file'): Promise<void> {
    const [chooser] = await Promise.all([
      this.page.waitForEvent('filechooser'),
      this.button(button, filename).click(),
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
  async inState(state: string, filename: string, ms = PATIENCE_MS): Promise<Locator> {
    const row = this.page.locator(`#current li[data-state="${state}"]`).filter({ hasText: filename });
    await row.waitFor({ timeout: ms }).catch(async (error: unknown) => {
      throw new Error(`Not ${state}: ${await this.page.innerText('main')}`, { cause: error });
    });
    return row;
  }

  async finished(filename: string, ms = PATIENCE_MS): Promise<void> {
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
  async sent(filename: string, share: number, ms = PATIENCE_MS): Promise<void> {
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

  /** Drags files or folders over the drop zone, as a file manager does. */
  dragOver(...paths: readonly string[]): Promise<void> {
    return this.drag(['dragEnter', 'dragOver'], paths);
  }

  async drop(...paths: readonly string[]): Promise<void> {
    await this.drag(['dragEnter', 'dragOver', 'drop'], paths);
  }

  private async drag(
    types: readonly ('dragEnter' | 'dragOver' | 'drop')[],
    paths: readonly string[],
  ): Promise<void> {
    const { x, y } = (await this.page.locator('#drop').boundingBox()) ?? { x: 0, y: 0 };
    this.devtools ??= await this.context.newCDPSession(this.page);
    const data = { items: [], files: [...paths], dragOperationsMask: 1 };
    for (const type of types)
      await this.devtools.send('Input.dispatchDragEvent', { type, x: x + 30, y: y + 30, data });
  }

  /** Nothing that axe finds in either colour scheme, nor anything wider than a small phone; and pictures for people who want them. */
  async look(state: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      if (SCREENSHOTS) await this.takePictures(join(SCREENSHOTS, `page-${state}-${colorScheme}`));
      const { violations } = await new AxeBuilder({ page: this.page })
        .setLegacyMode()
        .withTags(WCAG)
        .analyze();
      expect(
        violations.map(({ id, nodes }) => [state, colorScheme, id, nodes.map(({ html }) => html)]),
      ).toEqual([]);
    }
    await this.resize(SMALLEST);
    const width = await this.page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(SMALLEST);
    await this.resize(WIDE);
    await this.page.emulateMedia({ colorScheme: null, reducedMotion: null });
  }

  private async takePictures(path: string): Promise<void> {
    for (const width of [PHONE, WIDE]) {
      await this.resize(width);
      await this.page.screenshot({ path: `${path}-${width}.png`, fullPage: true });
    }
  }

  /** Narrow ones are touched. */
  private async resize(width: number): Promise<void> {
    // Emulation ends with the session.
    this.devtools ??= await this.context.newCDPSession(this.page);
    await this.devtools.send('Emulation.setTouchEmulationEnabled', { enabled: width !== WIDE });
    await this.page.setViewportSize({ width, height: 1000 });
  }
}
