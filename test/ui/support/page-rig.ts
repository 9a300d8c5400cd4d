import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, whyNoBrowser } from '../../browser/support/browser.js';
import { itUnless } from '../../faults/support/root-only.js';
import { CompiledSources } from '../../support/compiled-sources.js';
import { md5OfFile, PageSite } from './page-site.js';
import { PageVisit } from './page-visit.js';
import { VisitorFiles } from './visitor-files.js';

export const MB = 1_000_000;
/** A file of 15 MB. */
export const MEDIUM = 'thesis.pdf';
/** Bytes a second at which {@link MEDIUM} is in the middle for some seconds. */
export const SLOW = 4 * MB;
/** Larger files are refused. */
export const MAX_BYTES = 250 * MB;

/** A test in the browser, on a machine that may have other work. */
export function itInBrowser(name: string, test: () => Promise<void>, ms = 90_000): void {
  itUnless(whyNoBrowser)(name, test, ms);
}

/** One browser, one compiled server behind a proxy, and the files of its visitors, for all suites of the page. */
export class PageRig {
  browser!: Browser;
  files!: VisitorFiles;
  sources!: CompiledSources;
  site!: PageSite;
  /** Path of {@link MEDIUM}. */
  medium = '';
  private readonly visits: PageVisit[] = [];

  private constructor() {}

  /** Call where suites are described. */
  static use(): PageRig {
    const rig = new PageRig();
    if (whyNoBrowser !== null) return rig;
    beforeAll(() => rig.open(), 90_000);
    afterEach(() => rig.tidy(), 30_000);
    afterAll(() => rig.close(), 30_000);
    return rig;
  }

  async visit(url = this.site.url): Promise<PageVisit> {
    return this.follow(await PageVisit.open(this.browser, url));
  }

  /** The same browser, in another tab. */
  async visitAgain({ context }: PageVisit): Promise<PageVisit> {
    return this.follow(await PageVisit.openIn(context, this.site.url));
  }

  /** Faults of this visit fail the test. */
  follow(visit: PageVisit): PageVisit {
    this.visits.push(visit);
    return visit;
  }

  /** A page that has sent some of {@link MEDIUM} on a slow line. */
  async visitInTheMiddle(): Promise<PageVisit> {
    this.site.proxy.bytesPerSecond = SLOW;
    const person = await this.visit();
    await person.choose(this.medium);
    await person.sent(MEDIUM, 0.4);
    return person;
  }

  /** A page that was opened again after it was closed in the middle of {@link MEDIUM}. */
  async visitAfterClosing(): Promise<PageVisit> {
    const before = await this.visitInTheMiddle();
    await before.page.close();
    this.site.proxy.bytesPerSecond = Infinity;
    const again = await this.visitAgain(before);
    await again.row('unfinished', MEDIUM).waitFor();
    return again;
  }

  /** This file and nothing else is on the server, complete, with the bytes it has on the visitor's disk. */
  async expectStored(path: string, name: string): Promise<void> {
    const rows = await this.site.rows();
    expect(rows.map(({ filename, status }) => [filename, status])).toEqual([[name, 'complete']]);
    expect(await this.site.stored()).toEqual({ [name]: await md5OfFile(path) });
  }

  private async open(): Promise<void> {
    [this.sources, this.browser, this.files] = await Promise.all([
      CompiledSources.compile(),
      launchBrowser(),
      VisitorFiles.create(),
    ]);
    this.medium = await this.files.make(MEDIUM, 15);
    this.site = await PageSite.start(this.sources, { CHUNKED_UPLOAD_MAX_BYTES: String(MAX_BYTES) });
  }

  private async tidy(): Promise<void> {
    const visits = this.visits.splice(0);
    for (const { context } of visits) await context.close();
    this.site.proxy.bytesPerSecond = Infinity;
    await this.site.clear();
    expect(visits.flatMap(({ faults }) => faults)).toEqual([]);
  }

  private async close(): Promise<void> {
    await this.browser?.close();
    await this.site?.stop();
    await this.sources?.remove();
    await this.files?.remove();
  }
}
