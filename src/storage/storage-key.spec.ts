import { describe, expect, it } from '@jest/globals';
import { expandFolder, finalKey, partKey, storageKeyFor } from './storage-key.js';

describe('storage keys', () => {
  const id = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const created = { id, createdAt: new Date('2026-01-02T23:59:59.999-05:00'), userId: 'ann' };
  const storageKey = storageKeyFor(created);
  const upload = { id, storageKey, generation: 3, storageState: null };

  it('are made of the id and the day, in UTC', () => expect(storageKey).toBe(`2026/01/03/${id}`));

  it('name each generation, and the finished file', () => {
    expect(partKey(upload, 0)).toBe(`2026/01/03/${id}.part`);
    expect(partKey(upload, 3)).toBe(`2026/01/03/${id}.3.part`);
    expect(finalKey(upload)).toBe(`2026/01/03/${id}.done`);
  });

  it.each([
    ['%Y/%m/%d', '2026/01/03'],
    ['chunked_uploads/%Y/%j', 'chunked_uploads/2026/003'],
    ['/avatars/', 'avatars'],
    ['a-b_c.d/%H%M%S', 'a-b_c.d/045959'],
    ['', ''],
  ])('go into the folder %s as %s', (template, folder) => {
    expect(expandFolder(template, created.createdAt)).toBe(folder);
    expect(storageKeyFor(created, template)).toBe(folder === '' ? id : `${folder}/${id}`);
  });

  it.each(['../x', 'a/../b', '.hidden', 'a//b', 'a b', 'a\\b', '%', '%q', 'é', 'a\0', 'x'.repeat(101)])(
    'never go to %j, said by a template or a function',
    (folder) => {
      expect(() => storageKeyFor(created, folder)).toThrow(RangeError);
      expect(() => storageKeyFor(created, () => folder)).toThrow(RangeError);
    },
  );

  it('go where a function says', () => {
    expect(storageKeyFor(created, ({ userId }) => `users/${userId}`)).toBe(`users/ann/${id}`);
  });
});
