import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, whyNoBrowser } from '../browser/support/browser.js';
import { itUnless } from '../faults/support/root-only.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { PageSite } from './support/page-site.js';
import { PageVisit } from './support/page-visit.js';
import { VisitorFiles } from './support/visitor-files.js';

const itInBrowser = itUnless(whyNoBrowser);
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const MB = 1_000_000;
const LIMIT = 60 * MB;

let sources: CompiledSources;
let browser: Browser;
let files: VisitorFiles;
let site: PageSite;
let person: PageVisit;

beforeAll(async () => {
  if (whyNoBrowser !== null) return;
  [sources, browser, files] = await Promise.all([
    CompiledSources.compile(),
    launchBrowser(),
    VisitorFiles.create(),
  ]);
  site = await PageSite.start(sources, { CHUNKED_UPLOAD_MAX_BYTES: String(LIMIT) });
}, 60_000);

afterEach(async () => {
  if (!person) return;
  await person.context.close();
  expect(person.faults).toEqual([]);
  site.proxy.bytesPerSecond = Infinity;
  await site.clear();
});

afterAll(async () => {
  await browser?.close();
  await site?.stop();
  await sources?.remove();
  await files?.remove();
});

/** Nothing that axe finds, in either colour scheme, nor anything wider than a small phone. */
async function expectAccessible(): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await person.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page: person.page }).withTags(WCAG).analyze();
    expect(violations.map(({ id, nodes }) => [colorScheme, id, nodes.map(({ html }) => html)])).toEqual([]);
  }
  await person.page.setViewportSize({ width: 320, height: 700 });
  const width = await person.page.evaluate(() => document.documentElement.scrollWidth);
  await person.page.setViewportSize({ width: 900, height: 1000 });
  expect(width).toBeLessThanOrEqual(320);
}

/** The accessible name of what has the focus. */
function focused(): Promise<string> {
  return person.page.evaluate(() => {
    const active = document.activeElement as HTMLElement | null;
    return active?.getAttribute('aria-label') ?? (active?.id || active?.tagName) ?? '';
  });
}

async function tabTo(name: string): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 30; presses += 1) {
    await person.page.keyboard.press('Tab');
    passed.push(await focused());
    if (passed.at(-1) === name) return;
  }
  throw new Error(`No way to ${name}, but to ${passed.join(', ')}`);
}

describe('the page is for everybody', () => {
  itInBrowser('empty', async () => {
    person = await PageVisit.open(browser, site.url);
    await expectAccessible();
    await person.show('empty');
  });

  itInBrowser(
    'with uploads in all states',
    async () => {
      const left = await files.make('choir rehearsal.wav', 12);
      const paused = await files.make('thesis-final-v3.pdf', 12);
      const running = await files.make('holiday in the mountains.mp4', 55);
      const large = await files.make('attic.iso', 61);
      const small = await files.make(
        'a_very_long_name_without_any_blank_in_it_that_does_not_fit_a_phone.jpg',
        1,
      );
      const before = await PageVisit.open(browser, site.url);
      await before.choose(small);
      await before.finished('a_very_long_name');
      site.proxy.bytesPerSecond = 4 * MB;
      await before.choose(left);
      await before.sent('choir rehearsal.wav', 0.5);
      await before.page.close();
      person = await PageVisit.openIn(before.context, site.url);
      await person.choose(paused, running, large);
      await person.sent('thesis-final-v3.pdf', 0.3);
      await person.button('Pause', 'thesis-final-v3.pdf').click();
      await person.inState('paused', 'thesis-final-v3.pdf');
      const refused = await person.inState('failed', 'attic.iso');
      await refused.getByText('The file is too large: at most 60 MB.').waitFor();
      await person.sent('holiday in the mountains.mp4', 0.3);
      await person.show('busy');
      await expectAccessible();
    },
    60_000,
  );

  itInBrowser(
    'by keyboard alone, with the focus never lost and few words to screen readers',
    async () => {
      const file = await files.make('letters.zip', 20);
      person = await PageVisit.open(browser, site.url);
      const { page } = person;
      await page.evaluate(() => {
        const said: string[] = [];
        Object.assign(window, { said });
        const region = document.querySelector('[role=status]') as HTMLElement;
        new MutationObserver(() => said.push(region.textContent)).observe(region, { childList: true });
      });
      site.proxy.bytesPerSecond = 8 * MB;
      await tabTo('files');
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
      await chooser.setFiles(file);
      await person.sent('letters.zip', 0.2);
      await tabTo('Pause letters.zip');
      await page.keyboard.press('Enter');
      await person.inState('paused', 'letters.zip');
      expect(await focused()).toBe('Resume letters.zip');
      site.proxy.bytesPerSecond = Infinity;
      await page.keyboard.press('Space');
      await person.finished('letters.zip');
      expect(await focused()).toBe('Download letters.zip');
      await page.waitForTimeout(600);
      const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
      expect(said).toEqual(['letters.zip added.', 'letters.zip is paused.', 'letters.zip is complete.']);
    },
    45_000,
  );
});
