import { describe, expect, it } from '@jest/globals';
import { UploadError } from '../errors/upload-error.js';
import { databaseFailure } from './database-failure.js';

const failure = (message: string, code?: string) => Object.assign(new Error(message), code && { code });
/** As TypeORM wraps what the driver raises. */
const query = (driverError: Error) => Object.assign(new Error('query failed'), { driverError });

describe('databaseFailure', () => {
  it.each([
    ['a refused connection', failure('connect ECONNREFUSED', 'ECONNREFUSED')],
    ['a reset connection', failure('read ECONNRESET', 'ECONNRESET')],
    ['a host that is not found', failure('getaddrinfo', 'ENOTFOUND')],
    ['a connection the server ended', query(failure('terminating connection', '57P01'))],
    ['a connection that just ended', query(failure('Connection terminated unexpectedly'))],
    [
      'a connection that was used up',
      query(failure('Client has encountered a connection error and is not queryable')),
    ],
    ['a pool that has none in time', failure('timeout exceeded when trying to connect')],
    ['too many connections', failure('sorry, too many clients already', '53300')],
    ['a full disk', query(failure('could not extend file', '53100'))],
    ['a server that starts up', failure('the database system is starting up', '57P03')],
    ['a statement timeout', query(failure('canceling statement', '57014'))],
    ['an idle transaction timeout', query(failure('terminating', '25P03'))],
    ['a lock timeout', query(failure('lock not available', '55P03'))],
    ['a serialization failure', query(failure('could not serialize', '40001'))],
    ['a deadlock', query(failure('deadlock detected', '40P01'))],
    ['a broken connection', failure('connection failure', '08006')],
    ['a wrong password', failure('password authentication failed', '28P01')],
    ['a database that is not there', failure('database does not exist', '3D000')],
    [
      'a primary that became a standby',
      query(failure('cannot execute UPDATE in a read-only transaction', '25006')),
    ],
    ['a pool that was closed', failure('Cannot use a pool after calling end on the pool')],
  ])('%s is "unavailable", with the cause', (_, error) => {
    const result = databaseFailure(error);
    expect(result).toMatchObject({ code: 'database_unavailable', cause: error, details: { retryAfter: 2 } });
    expect((result as Error).message).not.toContain(error.message);
  });

  it.each([
    ['a violated constraint', query(failure('duplicate key', '23505'))],
    ['a wrong statement', query(failure('syntax error', '42601'))],
    ['a missing table', query(failure('relation does not exist', '42P01'))],
    ['a value that does not fit', query(failure('invalid input syntax', '22P02'))],
    ['an error of the app', failure('The sale has not begun')],
    ['no error at all', 'text'],
    ['nothing', undefined],
    ['null', null],
  ])('%s stays what it is', (_, error) => expect(databaseFailure(error)).toBe(error));

  it('a refusal stays a refusal', () => {
    const refusal = new UploadError('busy', 'The upload has ended.');
    expect(databaseFailure(refusal)).toBe(refusal);
  });
});
