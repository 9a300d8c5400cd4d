import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, whyNoBrowser } from '../browser/support/browser.js';
import { itUnless } from '../faults/support/root-only.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { eventually } from '../support/http.js';
import { md5OfFile, PageSite } from './support/page-site.js';
import { PageVisit } from './support/page-visit.js';
import { VisitorFiles } from './support/visitor-files.js';

const itInBrowser = itUnless(whyNoBrowser);
const MB = 1_000_000;
const LARGE = 'holiday in the mountains.mp4';
const MEDIUM = 'thesis.pdf';
const SLOW = 4 * MB;

let sources: CompiledSources;
let browser: Browser;
let files: VisitorFiles;
let medium: string;
let site: PageSite;
const visits: PageVisit[] = [];

beforeAll(async () => {
  if (whyNoBrowser !== null) return;
  [sources, browser, files] = await Promise.all([
    CompiledSources.compile(),
    launchBrowser(),
    VisitorFiles.create(),
  ]);
  medium = await files.make(MEDIUM, 15);
  site = await PageSite.start(sources);
}, 60_000);

afterEach(async () => {
  for (const { context, faults } of visits.splice(0)) {
    await context.close();
    expect(faults).toEqual([]);
  }
  if (site) {
    site.proxy.bytesPerSecond = Infinity;
    await site.clear();
  }
});

afterAll(async () => {
  await browser?.close();
  await site?.stop();
  await sources?.remove();
  await files?.remove();
});

async function visit(url = site.url): Promise<PageVisit> {
  visits.push(await PageVisit.open(browser, url));
  return visits.at(-1) as PageVisit;
}

/** A page that has sent some of a file of 15 MB on a slow line. */
async function visitInTheMiddle(): Promise<PageVisit> {
  site.proxy.bytesPerSecond = SLOW;
  const person = await visit();
  await person.choose(medium);
  await person.sent(MEDIUM, 0.4);
  return person;
}

async function expectStored(path: string, name: string): Promise<void> {
  expect((await site.rows()).map(({ filename, status }) => [filename, status])).toEqual([[name, 'complete']]);
  expect(await site.stored()).toEqual({ [name]: await md5OfFile(path) });
}

describe('the page, with 200 MB', () => {
  itInBrowser(
    'arrives whole though the line breaks, and the server is killed and started again',
    async () => {
      const large = await files.make(LARGE, 200);
      site.proxy.bytesPerSecond = 40 * MB;
      const person = await visit();
      await person.choose(large);
      await person.sent(LARGE, 0.2);
      // Chromium itself sends a request again when a connection that it had used before breaks.
      site.proxy.cut();
      await person.sent(LARGE, 0.5);
      await site.kill();
      await person.inState('waiting', LARGE);
      await person.show('server-away');
      await site.boot();
      await person.finished(LARGE, 40_000);
      await expectStored(large, LARGE);
    },
    90_000,
  );
});

describe('an upload in the middle', () => {
  itInBrowser('pauses, and sends nothing until it is resumed', async () => {
    const person = await visitInTheMiddle();
    await person.button('Pause', MEDIUM).click();
    await person.inState('paused', MEDIUM);
    // What was on its way may still arrive.
    await eventually(async () => expect((await site.rows())[0]).toMatchObject({ lease_token: null }));
    const [before] = await site.rows();
    await person.page.waitForTimeout(500);
    expect((await site.rows())[0]).toEqual(before);
    site.proxy.bytesPerSecond = Infinity;
    await person.button('Resume', MEDIUM).click();
    await person.finished(MEDIUM);
    await expectStored(medium, MEDIUM);
  });

  itInBrowser('is cancelled: row and bytes are gone', async () => {
    const person = await visitInTheMiddle();
    await person.button('Cancel', MEDIUM).click();
    await person.row('current', MEDIUM).waitFor({ state: 'detached' });
    expect(await site.rows()).toEqual([]);
    await eventually(async () => expect(await site.files()).toEqual([]));
    await person.page.reload();
    await person.page.waitForTimeout(300);
    expect(await person.row('unfinished', MEDIUM).count()).toBe(0);
  });

  itInBrowser('waits while there is no network, and goes on by itself', async () => {
    const person = await visitInTheMiddle();
    await person.context.setOffline(true);
    await person.inState('offline', MEDIUM);
    await person.show('offline');
    site.proxy.bytesPerSecond = Infinity;
    await person.context.setOffline(false);
    await person.finished(MEDIUM);
    await expectStored(medium, MEDIUM);
  });

  itInBrowser(
    'is finished in two tabs at once, as one upload',
    async () => {
      const person = await visitInTheMiddle();
      const other = await PageVisit.openIn(person.context, site.url);
      await other.choose(medium);
      await other.page.waitForTimeout(500);
      site.proxy.bytesPerSecond = Infinity;
      await Promise.all([person.finished(MEDIUM, 30_000), other.finished(MEDIUM, 30_000)]);
      await expectStored(medium, MEDIUM);
      expect(other.faults).toEqual([]);
    },
    45_000,
  );
});

describe('a page that was closed in the middle', () => {
  async function visitAgain(): Promise<PageVisit> {
    const before = await visitInTheMiddle();
    await before.page.close();
    site.proxy.bytesPerSecond = Infinity;
    const again = await PageVisit.openIn(before.context, site.url);
    await again.row('unfinished', MEDIUM).waitFor();
    return again;
  }

  itInBrowser('lists what is unfinished, and goes on when the same file is chosen again', async () => {
    const person = await visitAgain();
    await person.show('unfinished');
    const [{ offset } = { offset: '0' }] = await site.rows();
    const starts: number[] = [];
    person.page.on('request', (request) => {
      const [, start] = /^bytes (\d+)-/.exec(request.headers()['content-range'] ?? '') ?? [];
      if (start !== undefined) starts.push(Number(start));
    });
    await person.chooseAgain(MEDIUM, medium);
    await person.finished(MEDIUM);
    expect(await person.row('unfinished', MEDIUM).count()).toBe(0);
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(Number(offset));
    expect(Number(offset)).toBeGreaterThan(0);
    await expectStored(medium, MEDIUM);
    expect(person.faults).toEqual([]);
  });

  itInBrowser('goes on when the same file is dropped', async () => {
    const person = await visitAgain();
    await person.choose(medium);
    await person.finished(MEDIUM);
    await expectStored(medium, MEDIUM);
  });

  itInBrowser('says of another file that it is another, and uploads it as a new one', async () => {
    const person = await visitAgain();
    const other = await files.write('other.txt', 'another file');
    await person.chooseAgain(MEDIUM, other);
    const row = person.row('unfinished', MEDIUM);
    await row.getByText('“other.txt” is not the file this upload began with.').waitFor();
    await person.show('wrong-file');
    await person.button('Upload as a new file', MEDIUM).click();
    await person.finished('other.txt');
    const states = (await site.rows()).map(({ filename, status }) => [filename, status]);
    expect(states.sort()).toEqual([
      ['other.txt', 'complete'],
      [MEDIUM, 'uploading'],
    ]);
  });

  itInBrowser('discards it: row and bytes are gone', async () => {
    const person = await visitAgain();
    await person.button('Discard', MEDIUM).click();
    await person.row('unfinished', MEDIUM).waitFor({ state: 'detached' });
    expect(await site.rows()).toEqual([]);
    await eventually(async () => expect(await site.files()).toEqual([]));
  });
});

describe('a session that ends in the middle', () => {
  itInBrowser(
    'says so, and goes on after signing in again',
    async () => {
      let isSignedIn = true;
      const accounts = createServer((_request, response) => {
        response
          .writeHead(isSignedIn ? 200 : 401, { 'Content-Type': 'application/json' })
          .end('{"id":"ann"}');
      });
      await new Promise<void>((resolve) => accounts.listen(0, '127.0.0.1', resolve));
      const { port } = accounts.address() as AddressInfo;
      const guarded = await PageSite.start(sources, {
        CHUNKED_UPLOAD_AUTH: 'external',
        CHUNKED_UPLOAD_AUTH_URL: `http://127.0.0.1:${port}/me`,
        CHUNKED_UPLOAD_AUTH_CHALLENGE: 'Cookie',
      });
      try {
        const context = await browser.newContext();
        await context.addCookies([{ name: 'session', value: 'ann', url: guarded.url }]);
        const person = await PageVisit.openIn(context, guarded.url);
        visits.push(person);
        guarded.proxy.bytesPerSecond = SLOW;
        await person.choose(medium);
        await person.sent(MEDIUM, 0.4);
        isSignedIn = false;
        const row = await person.inState('failed', MEDIUM);
        await row.getByText('You are signed out. Sign in, then try again').waitFor();
        await person.show('signed-out');
        isSignedIn = true;
        guarded.proxy.bytesPerSecond = Infinity;
        await person.button('Try again', MEDIUM).click();
        await person.finished(MEDIUM);
        expect(await guarded.stored()).toEqual({ [MEDIUM]: await md5OfFile(medium) });
      } finally {
        await guarded.stop();
        accounts.close();
      }
    },
    45_000,
  );
});

describe('behind a proxy that takes /a/b off, on Fastify', () => {
  itInBrowser(
    'everything is found below /a/b',
    async () => {
      const away = await PageSite.start(sources, { CHUNKED_UPLOAD_ADAPTER: 'fastify' }, '/a/b');
      try {
        const person = await visit(away.url);
        const outside: string[] = [];
        person.page.on('request', (request) => {
          if (!new URL(request.url()).pathname.startsWith('/a/b/')) outside.push(request.url());
        });
        await person.choose(medium);
        await person.finished(MEDIUM);
        await person.page.reload();
        await person.finished(MEDIUM);
        const [download] = await Promise.all([
          person.page.waitForEvent('download'),
          person.page.getByRole('link', { name: `Download ${MEDIUM}` }).click(),
        ]);
        expect(await md5OfFile(await download.path())).toBe(await md5OfFile(medium));
        expect(outside).toEqual([]);
      } finally {
        await away.stop();
      }
    },
    45_000,
  );
});
