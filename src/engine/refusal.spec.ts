import { describe, expect, it } from '@jest/globals';
import type { AbstractChunkedUpload, UploadStatus } from '../persistence/abstract-chunked-upload.entity.js';
import type { Sighting } from '../persistence/upload.repository.js';
import { busy, chunkRefusal, completionRefusal, requireIntact, requireUsable } from './refusal.js';

type Seen = Sighting<AbstractChunkedUpload>;

function sighting(upload: Partial<AbstractChunkedUpload>, seen: Partial<Seen> = {}): Seen {
  const row = {
    status: 'uploading',
    offset: 100,
    size: 1000,
    storageKey: 'k',
    ...upload,
  } as AbstractChunkedUpload;
  return { upload: row, isExpired: false, leaseSeconds: null, ...seen };
}

const codeOf = (work: () => void) => {
  try {
    work();
    return 'fine';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('requireUsable', () => {
  it.each<[UploadStatus, boolean, string | null, string]>([
    ['uploading', false, 'k', 'fine'],
    ['uploading', true, 'k', 'expired'],
    ['completing', true, 'k', 'expired'],
    ['complete', true, 'k', 'fine'],
    ['complete', false, 'k', 'fine'],
    ['failed', false, 'k', 'fine'],
    ['deleting', false, 'k', 'not_found'],
    ['deleting', true, 'k', 'expired'],
    ['deleting', false, null, 'expired'],
    ['deleting', true, null, 'expired'],
  ])('%s, expired: %s, bytes: %s: %s', (status, isExpired, storageKey, expected) => {
    expect(codeOf(() => requireUsable(sighting({ status, storageKey }, { isExpired })))).toBe(expected);
  });

  it('nothing is not found', () => expect(codeOf(() => requireUsable(null))).toBe('not_found'));
});

describe('requireIntact', () => {
  it('refuses what lost bytes, only', () => {
    expect(codeOf(() => requireIntact({ status: 'failed' } as AbstractChunkedUpload))).toBe('failed');
    expect(codeOf(() => requireIntact({ status: 'uploading' } as AbstractChunkedUpload))).toBe('fine');
  });
});

describe('chunkRefusal', () => {
  const chunk = (start: number, end: number | null, total: number | null) => ({ start, end, total });
  it.each<[string, Seen, ReturnType<typeof chunk>, string]>([
    ['complete', sighting({ status: 'complete' }), chunk(100, 200, 1000), 'already_complete'],
    ['completing', sighting({ status: 'completing' }), chunk(100, 200, 1000), 'busy'],
    ['a gap', sighting({}), chunk(101, 200, 1000), 'offset_mismatch'],
    ['an overlap', sighting({}), chunk(99, 200, 1000), 'offset_mismatch'],
    ['another total', sighting({}), chunk(100, 200, 999), 'size_mismatch'],
    ['a total of more', sighting({}), chunk(100, 200, 1001), 'size_mismatch'],
    ['beyond the end', sighting({}), chunk(100, 1001, null), 'size_mismatch'],
    ['a lease', sighting({}, { leaseSeconds: 5 }), chunk(100, 200, 1000), 'busy'],
    ['a lease that is over by now', sighting({}), chunk(100, 200, 1000), 'busy'],
    ['a total, the first one', sighting({ size: null }, { leaseSeconds: 5 }), chunk(100, 200, 500), 'busy'],
  ])('%s', (_, seen, window, expected) => expect(chunkRefusal(seen, window).code).toBe(expected));

  it('says where to go on', () => {
    expect(chunkRefusal(sighting({}), chunk(7, 8, 1000)).details).toEqual({
      offset: 100,
      expectedOffset: 100,
      providedOffset: 7,
    });
  });
});

describe('completionRefusal', () => {
  it('tells what is missing from what is busy', () => {
    expect(completionRefusal(sighting({})).code).toBe('incomplete');
    expect(completionRefusal(sighting({ offset: 1000 }, { leaseSeconds: 3 })).code).toBe('busy');
    expect(completionRefusal(sighting({ status: 'completing' })).code).toBe('busy');
    expect(completionRefusal(sighting({ size: null }, { leaseSeconds: 3 })).code).toBe('busy');
  });
});

describe('busy', () => {
  it.each([
    [null, 1],
    [0, 1],
    [0.2, 1],
    [29.01, 30],
  ])('%p seconds of lease: try again after %i', (seconds, expected) => {
    expect(busy(seconds).details.retryAfter).toBe(expected);
  });
});
