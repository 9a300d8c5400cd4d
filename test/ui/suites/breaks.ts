import { describe, expect } from '@jest/globals';
import { eventually } from '../../support/http.js';
import { itInBrowser, MB, MEDIUM, type PageRig } from '../support/page-rig.js';

const LARGE = 'holiday in the mountains.mp4';

const UNITS = ['B', 'kB', 'MB'];

/** Bytes per second, as a row says them; NaN where it says none. */
function rateIn(words: string): number {
  const [, amount, unit = ''] = /([\d.]+)\s(\w+)\/s/.exec(words) ?? [];
  return Number(amount) * 1000 ** UNITS.indexOf(unit);
}

/** Uploads that are stopped on their way: by the line, by the server, by the person. */
export function describeBreaks(rig: PageRig): void {
  describe('with 200 MB', () => {
    itInBrowser(
      'gets them whole though the line breaks, and the server is killed and started again',
      async () => {
        const { site } = rig;
        const large = await rig.files.make(LARGE, 200);
        site.proxy.bytesPerSecond = 20 * MB;
        const person = await rig.visit();
        await person.choose(large);
        await person.sent(LARGE, 0.2);
        // Chromium itself sends a request again when a connection that it had used before breaks.
        site.proxy.cut();
        await person.sent(LARGE, 0.4);
        await site.kill();
        const row = await person.inState('waiting', LARGE);
        await row.getByText('The server cannot be reached. It is tried again by itself.').waitFor();
        await person.look('server-away');
        const [atKill] = await site.rows();
        expect(Number(atKill?.offset)).toBeGreaterThan(20 * MB);
        expect(atKill?.status).toBe('uploading');
        site.proxy.bytesPerSecond = Infinity;
        await site.boot();
        await person.finished(LARGE, 90_000);
        await rig.expectStored(large, LARGE);
        expect((await site.rows())[0]?.id).toBe(atKill?.id);
      },
      180_000,
    );
  });

  describe('in the middle of an upload', () => {
    itInBrowser('pauses, and sends nothing until it is resumed', async () => {
      const { site } = rig;
      const person = await rig.visitInTheMiddle();
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
      await rig.expectStored(rig.medium, MEDIUM);
    });

    itInBrowser('cancels it: row and bytes are gone', async () => {
      const { site } = rig;
      const person = await rig.visitInTheMiddle();
      await person.button('Cancel', MEDIUM).click();
      await person.row('current', MEDIUM).waitFor({ state: 'detached' });
      expect(await site.rows()).toEqual([]);
      await eventually(async () => expect(await site.files()).toEqual([]));
      await person.page.reload();
      await person.page.waitForTimeout(300);
      expect(await person.row('unfinished', MEDIUM).count()).toBe(0);
    });

    itInBrowser('waits while there is no network, and goes on by itself', async () => {
      const person = await rig.visitInTheMiddle();
      await person.context.setOffline(true);
      const row = await person.inState('offline', MEDIUM);
      await row.getByText('There is no network. It goes on by itself').waitFor();
      await person.look('offline');
      rig.site.proxy.bytesPerSecond = Infinity;
      await person.context.setOffline(false);
      await person.finished(MEDIUM);
      await rig.expectStored(rig.medium, MEDIUM);
    });

    itInBrowser('says a lower rate while the line is dead', async () => {
      const person = await rig.visitInTheMiddle();
      // A piece of a body takes seconds now.
      rig.site.proxy.bytesPerSecond = 10_000;
      const row = await person.inState('uploading', MEDIUM);
      // What fits into the buffers is sent meanwhile.
      await person.page.waitForTimeout(1500);
      const before = rateIn(await row.innerText());
      await person.page.waitForTimeout(3000);
      expect(rateIn(await row.innerText())).toBeLessThan(before * 0.8);
    });

    itInBrowser('finishes it in two tabs at once, as one upload', async () => {
      const person = await rig.visitInTheMiddle();
      const other = await rig.visitAgain(person);
      await other.choose(rig.medium);
      await other.page.waitForTimeout(500);
      rig.site.proxy.bytesPerSecond = Infinity;
      await Promise.all([person.finished(MEDIUM), other.finished(MEDIUM)]);
      await rig.expectStored(rig.medium, MEDIUM);
    });
  });
}
