import { accessSync, constants } from 'node:fs';
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
