const IDEMPOTENCY_SPEC = 'test/protocols/rest-idempotency.e2e.spec.ts';

/** Whose uploads, and how many. */
export const whoMutants = [
  {
    name: 'uploads of others are found',
    breaks: '11 isolation',
    file: 'src/persistence/upload-table.ts',
    find: '`(${column} = ${user} AND ${isRestricted})`',
    replace: '`(${user} IS NOT NULL AND ${isRestricted})`',
    killedBy: {
      suite: 'test/protocols/rest-access.e2e.spec.ts',
      test: 'makes no difference between an upload of another user',
    },
  },
  {
    name: 'an idempotency key belongs to everybody',
    breaks: '11 isolation',
    file: 'src/engine/new-row.ts',
    find: '[caller.userId, idempotencyKey]',
    replace: '[idempotencyKey]',
    killedBy: { suite: IDEMPOTENCY_SPEC, test: 'knows keys apart by user' },
  },
  {
    name: 'quotas are counted without a lock',
    breaks: 'maxOpenUploads and maxOpenBytes',
    file: 'src/persistence/upload.repository.ts',
    find: `'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))'`,
    replace: `'SELECT $1::text'`,
    killedBy: { suite: 'test/mutants/quota-lock.spec.ts', test: 'A quota counts a creation' },
  },
];
