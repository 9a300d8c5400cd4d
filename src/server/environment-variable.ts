import type { Parse } from './environment-parsers.js';

/** What one environment variable is for. */
export interface EnvironmentVariable {
  /** What it does, for `npm start -- --help` and the README. */
  readonly about: string;
  readonly example: string;
  readonly parse: Parse<unknown>;
  /** Text that is parsed when the variable is unset. */
  readonly fallback?: string;
  /** What unset means where there is no fallback to parse. */
  readonly unset?: string;
  /** The value must not be printed. */
  readonly secret?: boolean;
}
