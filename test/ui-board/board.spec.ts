import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { launchBrowser, whyNoBrowser } from '../browser/support/browser.js';
import { itUnless } from '../faults/support/root-only.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { eventually, md5, noise } from '../support/http.js';
import { BoardPage } from './support/board-page.js';
import { BoardSite } from './support/board-site.js';

const itInBrowser = itUnless(whyNoBrowser);
const SIZE = 4_000_000;

describe('The uploads board', () => {
  let sources: CompiledSources;
  let site: BoardSite;
  let browser: Browser;
  let opened: BoardPage[] = [];

  beforeAll(async () => {
    if (whyNoBrowser) return;
    sources = await CompiledSources.compile();
    site = await BoardSite.start(sources);
    browser = await launchBrowser();
  }, 60_000);
  afterEach(async () => {
    const boards = opened;
    opened = [];
    for (const board of boards) {
      expect(board.problems).toEqual([]);
      expect(board.strangers).toEqual([]);
      await board.close();
    }
    await site?.clear();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await sources?.remove();
  });

  const open = async (query = '', options: BrowserContextOptions = {}): Promise<BoardPage> => {
    const board = await BoardPage.open(browser, site.board + query, options);
    opened.push(board);
    await board.untilLive();
    return board;
  };
  const begin = (filename: string, headers = {}): Promise<string> =>
    site.uploads.create(noise(SIZE), { length: 1_000_000, query: `?filename=${filename}`, ...headers });
  const store = async (filename: string): Promise<string> => {
    return site.uploads.store(noise(200_000), { query: `?filename=${filename}` });
  };

  itInBrowser('shows an upload that comes, goes on and ends, without being asked', async () => {
    const board = await open();
    expect(await board.page.locator('#empty').isVisible()).toBe(true);
    const bytes = noise(SIZE);
    const id = await site.uploads.create(bytes, { length: 1_000_000, query: '?filename=film.mp4' });
    const row = board.row('film.mp4');
    await row.getByText('1.00 MB of 4.00 MB, 25 %').waitFor();
    expect(await row.getByRole('progressbar').getAttribute('value')).toBe('0.25');
    await site.uploads.put(`/${id}`, bytes, { start: 1_000_000, length: 2_000_000 });
    await row.getByText('3.00 MB of 4.00 MB, 75 %').waitFor();
    await site.uploads.put(`/${id}`, bytes, { start: 3_000_000 });
    await site.uploads.complete(id, { md5: md5(bytes) });
    await row.getByText('Complete', { exact: true }).waitFor();
    await board.page.locator('#counts .complete .number', { hasText: /^1$/ }).waitFor({ timeout: 10_000 });
    await site.uploads.send(`/${id}`, { method: 'DELETE' });
    await row.waitFor({ state: 'detached' });
    await board.page.locator('#empty').waitFor();
  });

  itInBrowser('filters and searches, and keeps that in its url', async () => {
    const [old, , other] = [await begin('old.mp4'), await store('done.mp4'), await begin('other.bin')];
    await site.change(old, `expires_at = now() - interval '1 minute', user_id = 'ann'`);
    await site.change(other, `owner_type = 'person', owner_id = '7', created_at = '2026-01-01'`);
    const board = await open();
    const { page } = board;
    expect((await board.names).sort()).toEqual(['done.mp4', 'old.mp4', 'other.bin']);
    await board.button(/^Expired/).click();
    await board.row('done.mp4').waitFor({ state: 'detached' });
    expect([await board.names, new URL(page.url()).search]).toEqual([['old.mp4'], '?status=expired']);
    await page.reload();
    await board.row('old.mp4').waitFor();
    expect(await board.button(/^Expired/).getAttribute('aria-pressed')).toBe('true');
    await page.goBack();
    await board.row('other.bin').waitFor();
    await page.getByLabel('Name or id').fill('MP4');
    await page.keyboard.press('Enter');
    await board.row('other.bin').waitFor({ state: 'detached' });
    await board.button('Clear').click();
    await board.row('other.bin').waitFor();
    await page.getByText('More filters').click();
    await page.getByLabel('User', { exact: true }).fill('ann');
    await board.button('Search').click();
    await board.row('other.bin').waitFor({ state: 'detached' });
    expect(await board.names).toEqual(['old.mp4']);
    await page.getByLabel('User', { exact: true }).fill('');
    await page.getByLabel('Owner id').fill('7');
    await page.getByLabel('Created before (UTC)').fill('2026-02-01');
    await board.button('Search').click();
    await board.row('old.mp4').waitFor({ state: 'detached' });
    expect(await board.names).toEqual(['other.bin']);
    await page.goto(`${site.board}?search=${randomUUID()}`);
    await page.locator('#empty').waitFor();
  });

  itInBrowser('shows all there is of one upload, extends it and cancels it', async () => {
    const id = await begin('film.mp4');
    await site.change(
      id,
      `user_id = 'ann', owner_type = 'person', owner_id = '7', lease_token = id, lease_expires_at = now() + interval '1 hour'`,
    );
    const board = await open();
    const { page } = board;
    await board.button('film.mp4').click();
    const panel = page.getByRole('dialog', { name: 'film.mp4' });
    for (const text of [id, '1.00 MB (1,000,000 bytes)', '4.00 MB (4,000,000 bytes)', 'ann', 'person 7'])
      await panel.getByText(text, { exact: true }).waitFor();
    await panel.getByText(/^writing, holds it for 59 min/).waitFor();
    await panel.getByText(new RegExp(`^1.00 MB \\(1,000,000 bytes\\) at .*${id}`)).waitFor();
    await board.shoot('detail-light');
    await site.change(id, 'lease_token = NULL, lease_expires_at = NULL');
    await panel.getByText('nobody', { exact: true }).waitFor();
    await panel.getByText(/, in 23 h/).waitFor();
    await board.button('Extend…').click();
    await board.button('7 days').click();
    await panel.getByText(/, in 7 d 23 h/).waitFor();
    await board.button('Cancel upload…').click();
    await board.shoot('question-light');
    await board.button('Never mind').click();
    await board.button('Cancel upload…').click();
    await board.button('Delete').click();
    await panel.getByText('This upload is gone.').waitFor();
    await board.button('Close').click();
    await page.locator('#empty').waitFor();
    expect((await site.uploads.send(`/${id}`)).status).toBe(404);
  });

  itInBrowser('deletes and extends what is chosen, and says what could not be', async () => {
    await store('done.mp4');
    for (const name of ['a.bin', 'b.bin', 'c.bin']) await begin(name);
    const board = await open();
    const { page } = board;
    await page.getByLabel('Choose all').check();
    await page.getByText('4 uploads chosen').waitFor();
    await board.button('Extend…').click();
    await board.button('1 day').click();
    await page.getByText(/^3 uploads extended. 1 not: This upload is complete/).waitFor();
    await board
      .row('a.bin')
      .getByText(/expires in 1 d 23 h/)
      .waitFor();
    for (const name of ['a.bin', 'b.bin']) await page.getByLabel(`Choose ${name}`).check();
    await board.shoot('chosen-light');
    await board.button('Delete…').click();
    await page.getByText('2 of 2 unfinished').waitFor();
    await board.button('Delete').click();
    await page.getByText('2 uploads deleted.').waitFor();
    await board.row('a.bin').waitFor({ state: 'detached' });
    expect((await board.names).sort()).toEqual(['c.bin', 'done.mp4']);
    expect(await page.locator('#bulk').isVisible()).toBe(false);
  });

  itInBrowser('runs cleanups, dry first, and counts what is stored', async () => {
    const id = await begin('old.bin');
    await store('done.bin');
    await site.change(id, `expires_at = now() - interval '1 minute'`);
    const board = await open();
    const { page } = board;
    await page.getByText('Storage', { exact: true }).click();
    await page.getByRole('cell', { name: '200 kB in 1' }).first().waitFor();
    await page.getByText('Cleanup', { exact: true }).click();
    await page.getByText(/by the clock \(0 3 \* \* \*\), next in/).waitFor();
    await board.button('Dry run').click();
    await page.getByText(/a dry run found 1 upload \(1.00 MB\) to delete/).waitFor();
    await board.shoot('panels-light');
    await board.button('Run now…').click();
    await board.button('Delete them').click();
    await page.getByText(/: deleted 1 upload \(1.00 MB\)/).waitFor();
    await board.row('old.bin').waitFor({ state: 'detached' });
  });

  itInBrowser('keeps the keyboard where it is in the panels, and tells what came of it', async () => {
    const id = await begin('old.bin');
    await site.change(id, `expires_at = now() - interval '1 minute'`);
    const board = await open();
    const { page } = board;
    const isFocused = (name: string) =>
      board.button(name).evaluate((each) => each === document.activeElement);
    // Screen readers tell of what changes in a region that was there before.
    const news = async (panel: string) => {
      const region = await page.locator(`#${panel} [role=status]`).elementHandle();
      return () => region?.evaluate((each) => (each.isConnected ? each.textContent : 'gone'));
    };
    await page.getByText('Cleanup', { exact: true }).click();
    const ofCleanup = await news('cleanup');
    await board.button('Dry run').press('Enter');
    await eventually(async () => expect(await ofCleanup()).toMatch(/a dry run found 1 upload/));
    expect(await isFocused('Dry run')).toBe(true);
    await board.button('Run now…').press('Enter');
    await board.button('Delete them').press('Enter');
    await eventually(async () => expect(await ofCleanup()).toMatch(/deleted 1 upload/));
    expect(await isFocused('Run now…')).toBe(true);
    await page.getByText('Storage', { exact: true }).click();
    const ofUsage = await news('usage');
    await store('done.bin');
    await board.button('Count again').press('Enter');
    await page.getByRole('cell', { name: '200 kB in 1' }).first().waitFor();
    expect(await isFocused('Count again')).toBe(true);
    expect(await ofUsage()).toMatch(/^Counted /);
  });

  itInBrowser('is of use by keyboard alone', async () => {
    await begin('other.mp4');
    await begin('film.mp4');
    const { page, row } = await open().then((board) => ({ page: board.page, row: board.row('film.mp4') }));
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent,
      );
    await page.locator('#choose-all').focus();
    await press('Tab', 'Space');
    await page.getByText('1 upload chosen').waitFor();
    await press('Tab', 'Enter');
    await page.getByRole('dialog', { name: 'film.mp4' }).waitFor();
    await press('Escape');
    expect(await focused()).toBe('film.mp4');
    await page.locator('#delete-chosen').focus();
    await press('Enter');
    expect(await focused()).toBe('Never mind');
    await press('Tab', 'Enter');
    await row.waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.id === 'choose-all');
    await press('Space');
    await page.locator('#delete-chosen').focus();
    await press('Enter', 'Tab', 'Enter');
    await page.locator('#empty').waitFor();
    await page.waitForFunction(() => document.activeElement?.id === 'empty');
  });

  for (const colorScheme of ['light', 'dark'] as const)
    itInBrowser(
      `is accessible, ${colorScheme}, wide and on a phone`,
      async () => {
        const bytes = noise(SIZE);
        await site.uploads.store(noise(900_000), { query: '?filename=holiday.mp4' });
        const [old, broken, running] = [
          await begin('backup.tar'),
          await begin('scan.pdf'),
          await begin('interview.wav'),
        ];
        await site.uploads.create(bytes, { length: 2_600_000, query: '?filename=lecture.mov' });
        await site.change(old, `expires_at = now() - interval '2 hours', user_id = 'ann'`);
        await site.change(broken, `status = 'failed', user_id = 'ben'`);
        await site.change(
          running,
          `user_id = 'ann', owner_type = 'project', owner_id = '12', lease_token = id, lease_expires_at = now() + interval '1 hour'`,
        );
        const board = await open('', { colorScheme });
        await board.page.getByText('5', { exact: true }).first().waitFor({ timeout: 10_000 });
        await board.shoot(colorScheme);
        expect(await board.violations()).toEqual([]);
        await board.page.getByText('Storage', { exact: true }).click();
        await board.page.getByText('Cleanup', { exact: true }).click();
        await board.page.getByLabel('Choose scan.pdf').check();
        await board.button('Count again').waitFor();
        expect(await board.violations()).toEqual([]);
        await board.button('interview.wav').click();
        await board.page.getByText('project 12', { exact: true }).last().waitFor();
        expect(await board.violations()).toEqual([]);
        await board.shoot(`detail-${colorScheme}`);
        await board.button('Close').click();
        await board.page.setViewportSize({ width: 360, height: 780 });
        const overflow = () => board.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(await overflow()).toBeLessThanOrEqual(0);
        expect(await board.violations()).toEqual([]);
        await board.shoot(`phone-${colorScheme}`);
        await board.page.setViewportSize({ width: 320, height: 640 });
        expect(await overflow()).toBeLessThanOrEqual(0);
      },
      90_000,
    );
});
