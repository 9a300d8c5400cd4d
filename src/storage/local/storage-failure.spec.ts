import { describe, expect, it } from '@jest/globals';
import { UploadError } from '../../errors/upload-error.js';
import { bytesLost, storageFailure } from './storage-failure.js';

describe('storageFailure', () => {
  const failure = (code: string) => Object.assign(new Error(`${code}: /secret/path`), { code });

  it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('%s means that there is no space', (code) => {
    expect(storageFailure(failure(code)).code).toBe('no_space');
  });

  it.each(['EIO', 'EACCES', 'EROFS', 'ENOENT', 'EMFILE', 'ESTALE', 'ELOOP'])(
    '%s means try again later',
    (code) => {
      const error = storageFailure(failure(code));
      expect(error.code).toBe('storage_unavailable');
      expect(error.details.retryAfter).toBeGreaterThan(0);
      expect(error.message).not.toContain('secret');
      expect(error.cause).toMatchObject({ code });
    },
  );

  it('what is said already is not said otherwise', () => {
    const lost = bytesLost();
    expect(storageFailure(lost)).toBe(lost);
    expect(storageFailure(new UploadError('no_space', ''))).toMatchObject({ code: 'no_space' });
    expect(storageFailure('text').code).toBe('storage_unavailable');
  });
});
