/** Why an upload was not imported. */
export type ImportProblemReason =
  'missing' | 'outside' | 'short' | 'long' | 'checksum' | 'id' | 'filename' | 'refused';

/** One upload that cannot be imported; the others can. */
export class ImportProblem extends Error {
  constructor(
    readonly reason: ImportProblemReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ImportProblem';
  }
}
