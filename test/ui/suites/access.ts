import { describe, expect } from '@jest/globals';
import { itInBrowser, MAX_BYTES, MB, MEDIUM, type PageRig } from '../support/page-rig.js';
import type { PageVisit } from '../support/page-visit.js';

/** The accessible name of what has the focus. */
function focused({ page }: PageVisit): Promise<string> {
  return page.evaluate(() => {
    const active = document.activeElement as HTMLElement | null;
    return active?.getAttribute('aria-label') ?? (active?.id || active?.tagName) ?? '';
  });
}

async function tabTo(name: string, person: PageVisit): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 30; presses += 1) {
    await person.page.keyboard.press('Tab');
    passed.push(await focused(person));
    if (passed.at(-1) === name) return;
  }
  throw new Error(`No way to ${name}, but to ${passed.join(', ')}`);
}

/** Collects the names of whatever gets the focus. */
async function followFocus(person: PageVisit): Promise<() => Promise<string[]>> {
  await person.page.evaluate(() => {
    const passed: string[] = [];
    Object.assign(window, { passed });
    document.addEventListener('focusin', ({ target }) => {
      const { ariaLabel, id, textContent } = target as HTMLElement;
      passed.push(ariaLabel ?? (id || textContent));
    });
  });
  return () => person.page.evaluate(() => (window as unknown as { passed: string[] }).passed);
}

/** Collects what screen readers are told. */
async function listen({ page }: PageVisit): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(window, { said });
    const region = document.querySelector('[role=status]') as HTMLElement;
    new MutationObserver(() => said.push(region.textContent)).observe(region, { childList: true });
  });
  return () => page.evaluate(() => (window as unknown as { said: string[] }).said);
}

/** The page is for everybody. */
export function describeAccess(rig: PageRig): void {
  describe('for everybody', () => {
    itInBrowser('when empty', async () => {
      await (await rig.visit()).look('empty');
    });

    itInBrowser('with uploads in all states, and "Try again" only where it can help', async () => {
      const { files, site } = rig;
      const left = await files.make('choir rehearsal.wav', 12);
      const paused = await files.make('thesis-final-v3.pdf', 12);
      const running = await files.make('holiday in the mountains.mp4', 55);
      const large = await files.sparse('attic.iso', MAX_BYTES + 70 * MB);
      const small = await files.make(
        'a_very_long_name_without_any_blank_in_it_that_does_not_fit_a_phone.jpg',
        1,
      );
      const before = await rig.visit();
      await before.choose(small);
      await before.finished('a_very_long_name');
      site.proxy.bytesPerSecond = 4 * MB;
      await before.choose(left);
      await before.sent('choir rehearsal.wav', 0.5);
      await before.page.close();
      const person = await rig.visitAgain(before);
      await person.choose(paused, running, large);
      await person.sent('thesis-final-v3.pdf', 0.3);
      await person.button('Pause', 'thesis-final-v3.pdf').click();
      await person.inState('paused', 'thesis-final-v3.pdf');
      const refused = await person.inState('failed', 'attic.iso');
      await refused.getByText('The file is too large: at most 250 MB.').waitFor();
      await person.sent('holiday in the mountains.mp4', 0.3);
      await person.look('busy');
      expect(await person.button('Try again', 'attic.iso').isVisible()).toBe(false);
      await person.button('Remove', 'attic.iso').click();
      await refused.waitFor({ state: 'detached' });
    });

    itInBrowser('by keyboard alone, with the focus never lost and few words to screen readers', async () => {
      const file = await rig.files.make('letters.zip', 20);
      const person = await rig.visit();
      const { page } = person;
      const said = await listen(person);
      rig.site.proxy.bytesPerSecond = 8 * MB;
      // Asked for before the key: the browser has to learn that it must not open its own dialog.
      const chooser = page.waitForEvent('filechooser');
      await tabTo('files', person);
      await page.keyboard.press('Enter');
      await (await chooser).setFiles(file);
      await person.sent('letters.zip', 0.2);
      await tabTo('Pause letters.zip', person);
      await page.keyboard.press('Enter');
      await person.inState('paused', 'letters.zip');
      expect(await focused(person)).toBe('Resume letters.zip');
      rig.site.proxy.bytesPerSecond = Infinity;
      await page.keyboard.press('Space');
      await person.finished('letters.zip');
      expect(await focused(person)).toBe('Download letters.zip');
      await page.waitForTimeout(600);
      expect(await said()).toEqual([
        'letters.zip added.',
        'letters.zip is paused.',
        'letters.zip is complete.',
      ]);
    });

    itInBrowser('never with the focus put on what deletes', async () => {
      const { site } = rig;
      const person = await rig.visitInTheMiddle();
      const passed = await followFocus(person);
      await site.kill();
      await person.inState('waiting', MEDIUM);
      await person.button('Try now', MEDIUM).focus();
      site.proxy.bytesPerSecond = Infinity;
      await site.boot();
      await person.finished(MEDIUM);
      expect((await passed()).filter((name) => name.endsWith(MEDIUM))).toEqual(
        ['Try now ', 'Pause ', '', 'Download '].map((action) => `${action}${MEDIUM}`),
      );
    });

    itInBrowser('never with the focus put on what deletes a neighbour', async () => {
      const refused = await rig.files.sparse('attic.iso', MAX_BYTES + 70 * MB);
      const person = await rig.visitInTheMiddle();
      await person.choose(refused);
      await person.inState('failed', 'attic.iso');
      await person.button('Cancel', MEDIUM).press('Enter');
      await person.row('current', MEDIUM).waitFor({ state: 'detached' });
      expect(await focused(person)).toBe('files');
    });
  });
}
