/**
 * A reason not to start that whoever typed the command can remove. It is shown without a stack: what happened, then
 * what to type next.
 */
export class BootError extends Error {
  override readonly name = 'BootError';

  constructor(
    message: string,
    /** What to do about it, a line each; never empty. */
    readonly advice: readonly string[],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Advice that always works when the embedded PostgreSQL does not. */
export const USE_OTHER_DATABASE =
  'Or use a PostgreSQL you have:  DATABASE_URL=postgres://user:password@localhost:5432/name npm start';
