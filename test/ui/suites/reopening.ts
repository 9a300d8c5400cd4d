import { describe, expect } from '@jest/globals';
import { eventually } from '../../support/http.js';
import { itInBrowser, MEDIUM, type PageRig } from '../support/page-rig.js';

/** Uploads of an earlier visit. */
export function describeReopening(rig: PageRig): void {
  describe('when it was closed in the middle', () => {
    itInBrowser('lists what is unfinished, and goes on when the same file is chosen again', async () => {
      const person = await rig.visitAfterClosing();
      await person.look('unfinished');
      const [{ offset } = { offset: '0' }] = await rig.site.rows();
      const starts: number[] = [];
      person.page.on('request', (request) => {
        const [, start] = /^bytes (\d+)-/.exec(request.headers()['content-range'] ?? '') ?? [];
        if (start !== undefined) starts.push(Number(start));
      });
      await person.chooseAgain(MEDIUM, rig.medium);
      await person.finished(MEDIUM);
      expect(await person.row('unfinished', MEDIUM).count()).toBe(0);
      expect(Math.min(...starts)).toBeGreaterThanOrEqual(Number(offset));
      expect(Number(offset)).toBeGreaterThan(0);
      await person.look('complete');
      await rig.expectStored(rig.medium, MEDIUM);
    });

    itInBrowser('goes on when the same file is dropped', async () => {
      const person = await rig.visitAfterClosing();
      const [before] = await rig.site.rows();
      await person.drop(rig.medium);
      await person.finished(MEDIUM);
      await rig.expectStored(rig.medium, MEDIUM);
      expect((await rig.site.rows())[0]?.id).toBe(before?.id);
    });

    itInBrowser('says of another file that it is another, and uploads it as a new one', async () => {
      const person = await rig.visitAfterClosing();
      const other = await rig.files.write('other.txt', 'another file');
      await person.chooseAgain(MEDIUM, other);
      const row = person.row('unfinished', MEDIUM);
      await row.getByText('“other.txt” is not the file this upload began with.').waitFor();
      await person.look('wrong-file');
      await person.button('Upload as a new file', MEDIUM).click();
      await person.finished('other.txt');
      const states = (await rig.site.rows()).map(({ filename, status }) => [filename, status]);
      expect(states.sort()).toEqual([
        ['other.txt', 'complete'],
        [MEDIUM, 'uploading'],
      ]);
    });

    itInBrowser('discards it: row and bytes are gone', async () => {
      const person = await rig.visitAfterClosing();
      await person.button('Discard', MEDIUM).click();
      await person.row('unfinished', MEDIUM).waitFor({ state: 'detached' });
      expect(await rig.site.rows()).toEqual([]);
      await eventually(async () => expect(await rig.site.files()).toEqual([]));
    });

    itInBrowser('says that it is over when it was left for too long, and begins anew', async () => {
      const before = await rig.visitAfterClosing();
      await before.page.close();
      await rig.site.expireAll();
      const person = await rig.visitAgain(before);
      const row = person.row('unfinished', MEDIUM);
      await row.getByText('left alone for too long').waitFor();
      await person.look('over');
      await person.chooseAgain(MEDIUM, rig.medium, 'Choose the file again');
      await person.finished(MEDIUM);
      expect(await row.count()).toBe(0);
      expect(Object.keys(await rig.site.stored())).toEqual([MEDIUM]);
    });

    itInBrowser('keeps what the server does not show, which may be somebody else’s', async () => {
      const before = await rig.visitAfterClosing();
      await rig.site.hideAll(true);
      await before.page.reload();
      await before.page.waitForTimeout(500);
      expect(await before.row('unfinished', MEDIUM).count()).toBe(0);
      await rig.site.hideAll(false);
      await before.page.reload();
      await before.row('unfinished', MEDIUM).waitFor();
    });
  });
}
