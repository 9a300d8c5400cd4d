import { expect, it } from '@jest/globals';
import { put, sleep, someBytes } from '../engine/support/client.js';
import { startTestApp } from '../support/test-app.js';

it('A quota counts a creation of another process that has not committed yet', async () => {
  const app = await startTestApp({ upload: { maxOpenUploads: 1 } });
  const other = app.dataSource.createQueryRunner();
  try {
    await other.startTransaction();
    await other.query(`SELECT pg_advisory_xact_lock(hashtextextended('"chunked_upload" null', 0))`);
    await other.query(
      `INSERT INTO chunked_upload (id, filename, expires_at, lease_token, lease_expires_at)
       VALUES (gen_random_uuid(), 'a', now() + interval '1 hour', gen_random_uuid(), now() + interval '1 minute')`,
    );
    const answer = put(app, someBytes(10));
    await sleep(300);
    await other.commitTransaction();
    expect((await answer).body.code).toBe('quota_exceeded');
  } finally {
    await other.release();
    await app.close();
  }
});
