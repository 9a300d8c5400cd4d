import { describe, expect, it } from '@jest/globals';
import { finalKey, partKey, storageKeyFor } from './storage-key.js';

describe('storage keys', () => {
  const id = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const storageKey = storageKeyFor(id, new Date('2026-01-02T23:59:59.999-05:00'));
  const upload = { id, storageKey, generation: 3, storageState: null };

  it('are made of the id and the day, in UTC', () => expect(storageKey).toBe(`2026/01/03/${id}`));

  it('name each generation, and the finished file', () => {
    expect(partKey(upload, 0)).toBe(`2026/01/03/${id}.part`);
    expect(partKey(upload, 3)).toBe(`2026/01/03/${id}.3.part`);
    expect(finalKey(upload)).toBe(`2026/01/03/${id}.done`);
  });
});
