import { accessSync, constants } from 'node:fs';
import { jest } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why no browser can be run here; null when one can. */
export const whyNoBrowser: string | null = (() => {
  try {
    accessSync(CHROMIUM, constants.X_OK);
    return null;
  } catch {
    return `there is no ${CHROMIUM}; apt-get install chromium, or CHROMIUM=/path/to/it`;
  }
})();

/** A starved machine loses a key or a click now and then. What is broken fails twice, and the first failure is shown. */
jest.retryTimes(1, { logErrorsBeforeRetry: true });

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
