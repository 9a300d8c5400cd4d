import { databaseFailure } from './database-failure.js';

/** A database that has not answered by then is taken for away: a frozen one never would. */
const DEADLINE_MS = 5_000;

/**
 * Waits for a statement, the wait for a connection included, but not for ever. What it still does later is like an answer
 * that was lost: every statement that matters is a compare-and-set.
 * @throws UploadError `database_unavailable`.
 */
export async function answered<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer()), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function noAnswer(): Error {
  const silence = Object.assign(new Error('The database did not answer.'), { code: 'ETIMEDOUT' });
  return databaseFailure(silence) as Error;
}
