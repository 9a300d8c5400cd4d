import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, whyNoBrowser } from '../browser/support/browser.js';
import { itUnless } from '../faults/support/root-only.js';
import { BEHAVIOURS } from './behaviour.js';
import { servePage, startBrowserClient } from './support/browser-client.js';
import { bundle } from './support/bundle.js';
import { ClientRig } from './support/rig.js';

const itInBrowser = itUnless(whyNoBrowser);

describe('The client in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    if (whyNoBrowser === null) browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  describe.each(BEHAVIOURS)('against a server $server,', ({ upload, behaviours }) => {
    let rig: ClientRig;

    if (whyNoBrowser === null) {
      beforeAll(async () => {
        const local = servePage(await bundle('test/client/support/page.ts'));
        rig = await ClientRig.start(startBrowserClient(browser), { upload, local });
      });
      afterEach(() => rig.clear());
      afterAll(() => rig.stop());
    }

    for (const { name, run } of behaviours) itInBrowser(name, () => run(rig));
  });
});
