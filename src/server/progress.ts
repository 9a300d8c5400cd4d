/** Takes a line for whoever watches the terminal. */
export type Log = (line: string) => void;

/** A step that takes longer is named, so that nobody wonders. */
const SILENT_MS = 1_000;

/** Awaits a step of the boot, and says what it is when it takes long. */
export async function named<Result>(line: string, log: Log, step: Promise<Result>): Promise<Result> {
  const timer = setTimeout(() => log(line), SILENT_MS);
  return step.finally(() => clearTimeout(timer));
}
