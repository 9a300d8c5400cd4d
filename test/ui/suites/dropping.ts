import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { itInBrowser, type PageRig } from '../support/page-rig.js';

/** Files and folders that are dragged onto the page. */
export function describeDropping(rig: PageRig): void {
  describe('when something is dropped', () => {
    itInBrowser('shows where, and takes several files', async () => {
      const person = await rig.visit();
      const notes = await rig.files.write('notes.txt', 'some notes');
      const list = await rig.files.write('list.txt', 'a list');
      await person.dragOver(notes, list);
      expect(await person.page.locator('#drop').getAttribute('class')).toContain('over');
      await person.look('dragging');
      await person.drop(notes, list);
      expect(await person.page.locator('#drop').getAttribute('class')).not.toContain('over');
      await Promise.all([person.finished('notes.txt'), person.finished('list.txt')]);
      expect((await rig.site.rows()).map(({ filename }) => filename).sort()).toEqual([
        'list.txt',
        'notes.txt',
      ]);
    });

    itInBrowser('takes a folder with all that is in it', async () => {
      const folder = rig.files.path('album');
      await mkdir(join(folder, 'summer', 'beach'), { recursive: true });
      await mkdir(join(folder, 'nothing'));
      await writeFile(join(folder, 'cover.txt'), 'cover');
      await writeFile(join(folder, 'summer', 'one.txt'), 'one');
      await writeFile(join(folder, 'summer', 'beach', 'two.txt'), 'two');
      const person = await rig.visit();
      await person.drop(folder);
      await Promise.all(['cover.txt', 'one.txt', 'two.txt'].map((name) => person.finished(name)));
      const rows = await rig.site.rows();
      expect(rows.map(({ filename, status }) => [filename, status]).sort()).toEqual([
        ['cover.txt', 'complete'],
        ['one.txt', 'complete'],
        ['two.txt', 'complete'],
      ]);
    });
  });
}
