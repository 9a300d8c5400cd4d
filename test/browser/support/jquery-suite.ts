import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { itUnless } from '../../faults/support/root-only.js';
import { eventually } from '../../support/http.js';
import type { AdapterName } from '../../support/test-app.js';
import { whyNoBrowser } from './browser.js';
import { MB, type PageFile } from './page-files.js';
import { startPageServer } from './page-server.js';
import { BrowserRig } from './rig.js';
import type { UploadPage, Visit } from './upload-page.js';

const CHUNK = 2 * MB;
const itInBrowser = itUnless(whyNoBrowser);

/** What a page does besides its door. */
type Way = Pick<Visit, 'door' | 'options'> & Partial<Visit>;

const PUT_FORMS: Way = { door: 'rest', options: { type: 'PUT' } };
const PUT_RAW: Way = { door: 'rest', options: { type: 'PUT', multipart: false } };
const POST_FORMS: Way = { door: 'rest', options: { type: 'POST' } };
const POST_RAW: Way = { door: 'rest', options: { type: 'POST', multipart: false } };
const FORM_POST: Way = { door: 'form-post', options: {} };

const WAYS: [string, Way][] = [
  ['REST, PUT of forms', PUT_FORMS],
  ['REST, PUT of raw bytes', PUT_RAW],
  ['form-post', FORM_POST],
];
const MORE_WAYS: [string, Way][] = [
  ['REST, POST of forms', POST_FORMS],
  ['REST, POST of raw bytes', POST_RAW],
];

let rig: BrowserRig;

/** A page of the other origin, unless it says otherwise. */
function open(way: Way): Promise<UploadPage> {
  return rig.visitor.open({
    pageOrigin: rig.pages.origin,
    serverOrigin: rig.app.origin,
    ...way,
    options: { maxChunkSize: CHUNK, ...way.options },
  });
}

/** A page that is in the middle of its third chunk. */
async function openInTheMiddle(way: Way): Promise<UploadPage> {
  const page = await open({ ...way, isThrottled: true });
  const third = page.inTheMiddle();
  await page.choose(rig.files.medium);
  await third;
  return page;
}

async function finish(page: UploadPage, ...files: readonly PageFile[]): Promise<void> {
  await page.until('complete', files.length);
  expect(page.problems).toEqual([]);
  await rig.expectStored(...files);
}

/** Unmodified jQuery-File-Upload in a real Chromium, against an app on one of the frameworks. */
export function describeJqueryFileUpload(adapter: AdapterName): void {
  describe(`jQuery-File-Upload in Chromium, against ${adapter}`, () => {
    if (whyNoBrowser === null) {
      beforeAll(async () => {
        rig = await BrowserRig.start(adapter);
      });
      afterEach(() => rig.clear());
      afterAll(() => rig.stop());
    }
    describe.each([...WAYS, ...MORE_WAYS])('%s:', (_name, way) => describeWhole(way));
    // What breaks is the browser's side and the engine's; of the other framework one way is enough to see it.
    describe.each(adapter === 'express' ? WAYS : WAYS.slice(0, 1))('%s:', (_name, way) => {
      describeTogether(way);
      describeInterrupted(way);
    });
    describeRange();
    describeOrigins();
  });
}

function describeWhole(way: Way): void {
  itInBrowser('a small file, from the same origin', async () => {
    const page = await open({ ...way, pageOrigin: rig.app.origin });
    await page.choose(rig.files.small);
    await finish(page, rig.files.small);
  });

  itInBrowser('60 MB in chunks of 5 MB', async () => {
    const page = await open({ ...way, options: { ...way.options, maxChunkSize: 5 * MB } });
    await page.choose(rig.files.large);
    await finish(page, rig.files.large);
    expect(page.starts).toEqual(Array.from({ length: 12 }, (_, index) => index * 5 * MB));
  });
}

function describeTogether(way: Way): void {
  itInBrowser('several files at once, one of them empty', async () => {
    const { small, medium, json, empty } = rig.files;
    const page = await open(way);
    await page.choose(small, medium, json, empty);
    await finish(page, small, medium, json, empty);
  });
}

function describeInterrupted(way: Way): void {
  itInBrowser('paused in the middle of a chunk, and resumed', async () => {
    const page = await openInTheMiddle(way);
    await page.click('pause');
    await page.until('paused');
    expect((await rig.app.rows()).map(({ status }) => status)).toEqual(['uploading']);
    await page.click('resume');
    await finish(page, rig.files.medium);
    expect(page.starts.slice(0, 3)).toEqual([0, CHUNK, 2 * CHUNK]);
    expect(Math.min(...page.starts.slice(3))).toBeGreaterThanOrEqual(2 * CHUNK);
  });

  itInBrowser('closed in the middle of a chunk, opened again, and resumed', async () => {
    const closed = await openInTheMiddle(way);
    await closed.page.close();
    const page = await open({ ...way, remembers: true });
    await page.choose(rig.files.medium);
    await finish(page, rig.files.medium);
    expect(Math.min(...page.starts)).toBeGreaterThanOrEqual(2 * CHUNK);
  });

  itInBrowser('cancelled in the middle of a chunk: gone from database and disk', async () => {
    const page = await openInTheMiddle(way);
    expect((await rig.app.files()).length).toBe(1);
    await page.click('cancel');
    await page.until('cancelled');
    expect(await rig.app.rows()).toEqual([]);
    await eventually(async () => expect(await rig.app.files()).toEqual([]));
  });
}

function describeRange(): void {
  itInBrowser(
    'begun anew with the same Idempotency-Key, it goes on behind the Range of the answer',
    async () => {
      for (const [key, way] of Object.entries({ raw: POST_RAW, 'form-post': FORM_POST })) {
        const repeatable = {
          ...way,
          options: { ...way.options, headers: { 'Idempotency-Key': `"${key}"` } },
        };
        await (await openInTheMiddle(repeatable)).page.close();
        const page = await open(repeatable);
        await page.choose(rig.files.medium);
        await finish(page, rig.files.medium);
        expect(page.starts[0]).toBe(0);
        expect(page.starts[1]).toBeGreaterThanOrEqual(2 * CHUNK);
        await rig.clear();
      }
    },
  );
}

function describeOrigins(): void {
  for (const withCredentials of [true, false]) {
    const name = withCredentials
      ? 'with credentials, cookies go along'
      : 'without credentials, no cookie goes along';
    itInBrowser(name, async () => {
      await rig.visitor.context.addCookies([{ name: 'session', value: 'ann', url: rig.app.origin }]);
      const options = { type: 'PUT', xhrFields: { withCredentials } };
      const page = await open({ door: 'rest', options });
      await page.choose(rig.files.medium);
      await finish(page, rig.files.medium);
      const users = (await rig.app.rows()).map((row) => row.user_id);
      expect(users).toEqual([withCredentials ? 'ann' : null]);
    });
  }

  itInBrowser('a page of an origin that is not listed cannot upload', async () => {
    const stranger = await startPageServer();
    try {
      const page = await open({ ...PUT_FORMS, pageOrigin: stranger.origin });
      const failed = page.page.waitForEvent('requestfailed');
      await page.choose(rig.files.small);
      await failed;
      expect(await rig.app.rows()).toEqual([]);
    } finally {
      await rig.visitor.closePages();
      await stranger.close();
    }
  });
}
