import { UsageError } from '../exit-code.js';
import { findFiles, type Unusable } from './local-files.js';
import type { PutSource } from './put-run.js';

/** What a command is to upload. */
export interface PutPlan {
  readonly sources: readonly PutSource[];
  readonly unusable: readonly Unusable[];
  /** Entries of folders that are left out. */
  readonly skipped: number;
  /** Null where the size of one is not known before its end. */
  readonly totalBytes: number | null;
}

/** What stands for standard input. */
const STDIN = '-';

/**
 * Finds what the names stand for.
 * @throws UsageError for a `--name` that is missing, or does not say of which file it is.
 */
export async function planPut(
  names: readonly string[],
  { name, hidden }: { readonly name?: string; readonly hidden?: boolean },
): Promise<PutPlan> {
  const readsStdin = names.includes(STDIN);
  if (readsStdin && name === undefined) throw new UsageError('Standard input has no name; add --name.');
  if (readsStdin && names.length > 1) throw new UsageError('Standard input goes alone, without other files.');
  if (readsStdin) {
    const stdin: PutSource = { file: STDIN, filename: name ?? '', local: null };
    return { sources: [stdin], unusable: [], skipped: 0, totalBytes: null };
  }
  const { files, unusable, skipped } = await findFiles(names, hidden ?? false);
  if (name !== undefined && files.length + unusable.length > 1) {
    throw new UsageError('--name is for one file; several keep their own names.');
  }
  return {
    sources: files.map((local) => ({ file: local.path, filename: name ?? local.name, local })),
    unusable,
    skipped,
    totalBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}
