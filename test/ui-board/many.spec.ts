import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, whyNoBrowser } from '../browser/support/browser.js';
import { countsQuery } from '../../src/persistence/admin-counts.js';
import { itUnless } from '../faults/support/root-only.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { BoardPage } from './support/board-page.js';
import { BoardSite } from './support/board-site.js';

const itInBrowser = itUnless(whyNoBrowser);
const ROWS = 100_000;

describe('The uploads board that only reads, on Fastify, with 100,000 uploads', () => {
  let sources: CompiledSources;
  let site: BoardSite;
  let browser: Browser | undefined;

  beforeAll(async () => {
    sources = await CompiledSources.compile();
    site = await BoardSite.start(sources, {
      CHUNKED_UPLOAD_ADAPTER: 'fastify',
      CHUNKED_UPLOAD_ADMIN_READ_ONLY: 'true',
    });
    await site.fill(ROWS);
    if (!whyNoBrowser) browser = await launchBrowser();
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await site.close();
    await sources.remove();
  });

  const explain = async (sql: string): Promise<string> => {
    const rows: { 'QUERY PLAN': string }[] = await site.dataSource.query(`EXPLAIN (ANALYZE, BUFFERS) ${sql}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };

  it('looks at a page, anywhere, by an index, and counts all in one scan', async () => {
    const first = 'SELECT * FROM chunked_upload ORDER BY created_at DESC, id DESC LIMIT 51';
    const middle = `SELECT * FROM chunked_upload WHERE (created_at, id) < (now() - interval '50000 seconds', gen_random_uuid())
      ORDER BY created_at DESC, id DESC LIMIT 51`;
    for (const sql of [first, middle]) {
      const plan = await explain(sql);
      expect(plan).not.toMatch(/Seq Scan|Sort/);
      expect(plan).toMatch(/Index Scan .*rows=51(?:\.00)? loops=1/);
    }
    // Once through the table, or through an index that has all that is counted; the few that are being deleted beside it.
    const scans = (await explain(countsQuery('chunked_upload'))).matchAll(
      /Scan.* on chunked_upload .*\(actual time=\S+ rows=(\d+)/g,
    );
    expect([...scans].filter(([, rows]) => Number(rows) > ROWS / 10)).toHaveLength(1);
  });

  itInBrowser('opens at once, turns pages by key, and has no buttons that change anything', async () => {
    const board = await BoardPage.open(browser!, site.board);
    await board.page.locator('#rows tr').nth(49).waitFor();
    await board.page.locator('#counts .number', { hasText: /^100,000$/ }).waitFor({ timeout: 10_000 });
    expect(await board.page.locator('#counts .expired .number').textContent()).toBe('5,000');
    expect((await board.names)[0]).toBe('file-0.bin');
    await board.button('Older').click();
    await board.row('file-50.bin').waitFor();
    expect((await board.names).length).toBe(50);
    await board.page.reload();
    await board.row('file-50.bin').waitFor();
    await board.button('Newest').click();
    await board.row('file-0.bin').waitFor();
    await board.button(/^Expired/).click();
    await board.row('file-980.bin').waitFor();
    await board.row('file-20.bin').getByRole('button').click();
    await board.page.getByText('nobody', { exact: true }).waitFor();
    await board.button('Close').click();
    await board.page.getByText('Cleanup', { exact: true }).click();
    await board.page.getByText('By hand:').waitFor();
    expect(await board.page.getByText('Read-only').isVisible()).toBe(true);
    expect(await board.page.getByRole('checkbox').count()).toBe(0);
    expect(await board.button(/…$|dry run/i).count()).toBe(0);
    await board.shoot('read-only-light');
    expect([board.problems, board.strangers]).toEqual([[], []]);
    await board.close();
  });

  itInBrowser('lets nobody in without a password', async () => {
    const context = await browser!.newContext();
    const page = await context.newPage();
    const answer = await page.goto(site.board).catch((error: Error) => error.message);
    expect(typeof answer === 'string' ? answer : answer?.status()).toEqual(
      typeof answer === 'string' ? expect.stringMatching('ERR_INVALID_AUTH_CREDENTIALS') : 401,
    );
    await context.close();
  });

  it('refuses to change anything, whoever asks', async () => {
    const answer = await site.api.post('/cleanup', {});
    expect([answer.status, answer.json.code]).toEqual([403, 'forbidden']);
  });

  itInBrowser('ends at once when the server stops', async () => {
    const board = await BoardPage.open(browser!, site.board);
    await board.untilLive();
    expect(await site.terminate()).toBeLessThan(5_000);
    await board.page.getByText(/trying again|Not live/).waitFor();
    await board.close();
  });
});
