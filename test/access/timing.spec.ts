import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as crypto from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { ApiKeyService, IssuedApiKey } from '../../src/access/api-key.service.js';
import type { BasicAuthGuard } from '../../src/access/basic-auth.guard.js';
import type { TestDatabase } from '../support/test-app.js';

const NO_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const compare = jest.fn(crypto.timingSafeEqual);
jest.unstable_mockModule('node:crypto', () => ({ ...crypto, timingSafeEqual: compare }));
const { createKeysDatabase, keysDataSource } = await import('./support/keys-app.js');
const services = await import('../../src/access/api-key.service.js');
const guards = await import('../../src/access/basic-auth.guard.js');

describe('The time a refusal takes', () => {
  let database: TestDatabase;
  let source: DataSource;
  let keys: ApiKeyService;
  let ann: IssuedApiKey;
  let revoked: IssuedApiKey;

  beforeAll(async () => {
    database = await createKeysDatabase();
    source = await keysDataSource(database).initialize();
    keys = new services.ApiKeyService(source);
    ann = await keys.create({ userId: 'ann' });
    revoked = await keys.create({ userId: 'ann' });
    await keys.revoke(revoked.record.id);
  });
  beforeEach(() => void compare.mockClear());
  afterAll(async () => {
    jest.restoreAllMocks();
    await source.destroy();
    await database.drop();
  });

  it('tells nothing of a key: each costs one statement and one comparison of 32 bytes in constant time', async () => {
    const statements = jest.spyOn(source.driver, 'createQueryRunner');
    const wrong = `cu_${ann.record.id}_${'A'.repeat(43)}`;
    const unknown = ann.key.replace(ann.record.id, NO_ID);
    const refused = [wrong, unknown, revoked.key].map((key) => () => keys.verify(key));
    const unsigned = [ann.record.id, NO_ID, revoked.record.id].map((keyId) => () => {
      return keys.verifySignature({ keyId, text: '', signature: '0'.repeat(64) });
    });
    for (const refusal of [...refused, ...unsigned]) {
      compare.mockClear();
      statements.mockClear();
      expect(await refusal()).toBeNull();
      expect(statements).toHaveBeenCalledTimes(1);
      expect(compare.mock.calls.map((sides) => sides.map(({ byteLength }) => byteLength))).toEqual([
        [32, 32],
      ]);
    }
  });

  it('tells nothing of a user name: an unknown one is compared too', () => {
    const guard: BasicAuthGuard = new guards.BasicAuthGuard({ users: { ann: 'secret' } });
    for (const credentials of ['ann:wrong', 'eve:secret', '', 'ann', 'constructor:']) {
      compare.mockClear();
      const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
      const context = { switchToHttp: () => ({ getRequest: () => ({ headers: { authorization } }) }) };
      expect(() => guard.canActivate(context as never)).toThrow('Wrong user name or password.');
      expect(compare).toHaveBeenCalledTimes(1);
    }
  });
});
